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

type WallPart = 'year' | 'month' | 'day' | 'hour' | 'minute' | 'second';

/** What the wall's calendar and clock show. */
function wallOf(atMs: number, timeZone: string): (part: WallPart) => number {
  const parts = clockOf(timeZone).formatToParts(atMs);
  return (part) => Number(parts.find(({ type }) => type === part)?.value);
}

function partsOf(atMs: number, timeZone: string): [year: number, month: number, day: number] {
  const wall = wallOf(atMs, timeZone);
  return [wall('year'), wall('month'), wall('day')];
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

/** Minutes since local midnight, by the wall's clock. */
export function minuteOfDay(atMs: number, timeZone: string): number {
  const local = new Date(atMs + offsetMs(atMs, timeZone));
  return local.getUTCHours() * 60 + local.getUTCMinutes();
}

/**
 * When the clock on the wall shows a time of the day that follows the local day of an instant. A time that the spring's
 * change leaves out comes as much later as the clocks jump; of one that autumn's has twice it is the first.
 * @param minute since local midnight
 */
export function onNextDay(afterMs: number, minute: number, timeZone: string): number {
  const [year, month, day] = partsOf(afterMs, timeZone);
  const wallMs = Date.UTC(year, month - 1, day + 1, 0, minute);
  // no zone is further from UTC than 14 hours, and none moves its clocks twice in two days
  const [before, after] = [wallMs - dayMs, wallMs + dayMs].map((nearMs) => wallMs - offsetMs(nearMs, timeZone));
  const shows = (atMs: number | undefined): boolean => atMs !== undefined && atMs + offsetMs(atMs, timeZone) === wallMs;
  if (!shows(before) && shows(after)) return after as number;
  return before as number;
}

/** Local time minus UTC at an instant; whole seconds. */
function offsetMs(atMs: number, timeZone: string): number {
  const wall = wallOf(atMs, timeZone);
  const date = Date.UTC(wall('year'), wall('month') - 1, wall('day'));
  const localMs = date + ((wall('hour') * 60 + wall('minute')) * 60 + wall('second')) * 1000;
  return localMs - Math.floor(atMs / 1000) * 1000;
}

/** Making one costs some 50 µs, and a lane has hundreds of bundles in one zone. */
const clocks = new Map<string, Intl.DateTimeFormat>();

function clockOf(timeZone: string): Intl.DateTimeFormat {
  const known = clocks.get(timeZone);
  if (known) return known;
  const made = new Intl.DateTimeFormat('en-u-ca-iso8601-nu-latn', {
    timeZone,
    year: 'numeric',
    month: 'numeric',
    day: 'numeric',
    hour: 'numeric',
    minute: 'numeric',
    second: 'numeric',
    hourCycle: 'h23',
  });
  clocks.set(timeZone, made);
  return made;
}
