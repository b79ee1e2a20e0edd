// How a receipt's page looks: dark on light, for a screen at night as for paper; colour never says anything alone.

export const pageStyle = `
:root { color-scheme: light; font: 15px/1.45 system-ui, -apple-system, "Segoe UI", sans-serif; color: #1b1f24; }
* { box-sizing: border-box; -webkit-print-color-adjust: exact; print-color-adjust: exact; }
body { max-width: 1100px; margin: 0 auto; padding: 24px; background: #fff; overflow-wrap: anywhere; }
header { padding: 16px 22px; border-left: 12px solid; }
header.passed { background: #e7f5ea; border-color: #1a7f37; }
header.late { background: #fff4d6; border-color: #9a6700; }
header.failed { background: #fdeaea; border-color: #b3261e; }
header p { margin: 4px 0; font-size: 17px; }
.verdict { font-size: 34px; font-weight: 700; letter-spacing: .04em; margin: 0; }
header.passed .verdict { color: #136029; }
header.late .verdict { color: #7a5200; }
header.failed .verdict { color: #8c1d18; }
h1 { font-size: 21px; margin: 2px 0 8px; }
h2 { font-size: 17px; margin: 26px 0 8px; }
small { display: block; color: #57606a; font-size: 12.5px; }
.facts { display: flex; flex-wrap: wrap; gap: 10px; margin-top: 16px; }
.facts div { flex: 1 1 150px; border: 1px solid #d0d7de; padding: 8px 12px; }
.facts b, .facts span { display: block; }
.facts b { font-weight: 500; font-size: 13px; color: #57606a; }
.facts span { font-size: 22px; font-weight: 600; }
table { width: 100%; border-collapse: collapse; }
th, td { text-align: left; vertical-align: top; padding: 6px 10px 6px 0; border-bottom: 1px solid #d8dee4; }
th { font-weight: 600; font-size: 13px; }
.steps td:nth-child(1) { width: 34%; }
.steps .track { width: 34%; }
.steps td:nth-child(n+3) { white-space: nowrap; }
.steps .meter { width: 9%; }
.sign { font-weight: 700; color: #1a7f37; }
tr.failed .sign, tr.cancelled .sign, tr.over b { color: #b3261e; }
tr.failed td:first-child, tr.cancelled td:first-child { font-weight: 600; }
tr.not-reached { color: #6e7781; }
tr.not-reached .sign { color: inherit; }
.bars { position: relative; height: 16px; margin-top: 3px; background: #eef1f4; }
.bars i { position: absolute; top: 0; bottom: 0; background: #2f6fb5; }
.bars i.failed, .bars i.cancelled { background: #b3261e; }
.gauge { height: 8px; margin-top: 7px; background: #eef1f4; }
.gauge i { display: block; height: 8px; background: #57606a; }
tr.over .gauge i { background: #b3261e; }
.todo { list-style: none; padding: 0; margin: 0; }
.todo li { padding: 4px 0 4px 28px; position: relative; }
.todo li::before { content: ""; position: absolute; left: 2px; top: 8px; width: 13px; height: 13px; border: 1.5px solid #57606a; }
.id { white-space: nowrap; }
.digest, code { font: 12.5px ui-monospace, Menlo, Consolas, monospace; }
.evidence th { width: 140px; }
.archives :is(th, td):nth-child(-n+2), .lanes :is(th, td):last-child { white-space: nowrap; }
.check { font-size: 13px; color: #57606a; }
@media screen and (max-width: 640px) {
  body { padding: 12px; }
  thead, td:empty { display: none; }
  table, tbody, tr, th, td { display: block; width: auto !important; }
  th, td { border: 0; padding: 2px 0; }
  tr { border-bottom: 1px solid #d8dee4; padding: 8px 0; }
  .steps td:nth-child(3):not(:empty)::before { content: "took "; }
  .steps td:nth-child(4)::before { content: "of "; }
  .id { white-space: normal; }
}
@media print { body { padding: 0; } section, header { break-inside: avoid; } }
@page { margin: 14mm; }
`;
