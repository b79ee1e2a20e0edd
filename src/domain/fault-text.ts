// Objects of a bundle that are not as they should be, in words: by segment, component and store, never by a name of a
// file.

export interface NamedFault {
  readonly bundle: string;
  readonly segment?: string;
  readonly component?: string;
  readonly object: string;
  readonly what: string;
  readonly store: string;
}

/** More are counted. */
const named = 10;

/** `segment s-0003 (transcripts) is damaged in primary`. */
export function oneFaultText({ segment, component, object, what, store }: NamedFault): string {
  if (segment === undefined) return `the ${object} is ${what} in ${store}`;
  const of = object === 'segment' ? `segment ${segment}` : `${object} of segment ${segment}`;
  return `${of} (${component ?? 'unknown'}) is ${what} in ${store}`;
}

export function faultText(faults: readonly NamedFault[]): string {
  const more = faults.length - named;
  return [...faults.slice(0, named).map(oneFaultText), ...(more > 0 ? [`and ${more} more`] : [])].join('; ');
}
