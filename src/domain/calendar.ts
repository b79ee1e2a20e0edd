// Which local day, week and month an instant lies in. A day is a name on the wall's calendar: the 23 and 25 hours of
// the days on which clocks are moved need no arithmetic. Not for workflows: a zone's rules come with the Node that runs.

export interface LocalDate {
  /** `2026-11-22` */
  readonly day: string;
  /** ISO 8601, weeks begin on Monday: `2026-W47` */
  readonly week: string;
  /** `2026-11` */
  readonly month: string;
}

const dayMs = 24 * 3600 * 1000;

/** @param timeZone of IANA. RangeError for one that this Node does not know */
export function localDateOf(atMs: number, timeZone: string): LocalDate {
  const [year, month, day] = partsOf(atMs, timeZone);
  const text = (number: number, digits: number): string => String(number).padStart(digits, '0');
  return {
    day: `${text(year, 4)}-${text(month, 2)}-${text(day, 2)}`,
    week: isoWeekOf(year, month, day),
    month: `${text(year, 4)}-${text(month, 2)}`,
  };
}

function partsOf(atMs: number, timeZone: string): [year: number, month: number, day: number] {
  const parts = formatterOf(timeZone).formatToParts(atMs);
  const numberOf = (type: string): number => Number(parts.find((part) => part.type === type)?.value);
  return [numberOf('year'), numberOf('month'), numberOf('day')];
}

/** Making one costs some 50 µs, and a lane has hundreds of bundles in one zone. */
const formatters = new Map<string, Intl.DateTimeFormat>();

function formatterOf(timeZone: string): Intl.DateTimeFormat {
  const known = formatters.get(timeZone);
  if (known) return known;
  const made = new Intl.DateTimeFormat('en-u-ca-iso8601-nu-latn', {
    timeZone,
    year: 'numeric',
    month: 'numeric',
    day: 'numeric',
  });
  formatters.set(timeZone, made);
  return made;
}

/** The week is that of its Thursday, so that the days around New Year have one week (ISO 8601). */
function isoWeekOf(year: number, month: number, day: number): string {
  const dateMs = Date.UTC(year, month - 1, day);
  const fromMonday = (new Date(dateMs).getUTCDay() + 6) % 7;
  const thursday = new Date(dateMs + (3 - fromMonday) * dayMs);
  const weekYear = thursday.getUTCFullYear();
  const week = 1 + Math.floor((thursday.getTime() - Date.UTC(weekYear, 0, 1)) / (7 * dayMs));
  return `${String(weekYear).padStart(4, '0')}-W${String(week).padStart(2, '0')}`;
}
