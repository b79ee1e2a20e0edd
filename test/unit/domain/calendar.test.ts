import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { localDateOf, minuteOfDay, onNextDay } from '../../../src/domain/calendar.ts';

const zones = ['UTC', 'Asia/Tokyo', 'Asia/Kolkata', 'America/New_York', 'Europe/London', 'Australia/Lord_Howe'];
const hourMs = 3_600_000;
const instants = fc.integer({ min: Date.UTC(2000, 0, 1), max: Date.UTC(2060, 0, 1) });
const at = (text: string): number => Date.parse(text);

describe('the local date', () => {
  it('of the procedure’s 03:15 in Tokyo is that of Tokyo, not that of UTC', () => {
    expect(localDateOf(at('2026-11-21T18:15:00Z'), 'Asia/Tokyo')).toEqual({
      day: '2026-11-22',
      week: '2026-W47',
      month: '2026-11',
    });
  });

  it.each([
    ['2026-12-31T12:00:00Z', '2026-W53'],
    ['2027-01-03T12:00:00Z', '2026-W53'],
    ['2027-01-04T12:00:00Z', '2027-W01'],
    ['2024-12-30T12:00:00Z', '2025-W01'],
  ])('around New Year %s is in the week %s', (text, week) => {
    expect(localDateOf(at(text), 'UTC').week).toBe(week);
  });

  it.each([
    ['spring: 02:00 becomes 03:00', '2026-03-08T05:00:00Z', 23],
    ['autumn: 02:00 becomes 01:00', '2026-11-01T04:00:00Z', 25],
    ['any other', '2026-06-01T04:00:00Z', 24],
  ])('a day in New York has all its hours, in %s', (_, midnight, hours) => {
    const day = localDateOf(at(midnight), 'America/New_York').day;
    const days = Array.from(
      { length: hours + 2 },
      (_unused, hour) => localDateOf(at(midnight) + (hour - 1) * hourMs, 'America/New_York').day,
    );
    expect(days.map((one) => one === day)).toEqual([false, ...Array<boolean>(hours).fill(true), false]);
  });

  it('never goes back where clocks are not moved over midnight, and changes by one day at a time', () => {
    fc.assert(
      fc.property(instants, fc.constantFrom(...zones), (instant, zone) => {
        const [today, soon] = [localDateOf(instant, zone), localDateOf(instant + hourMs, zone)];
        expect(soon.day >= today.day).toBe(true);
        const distance = (Date.parse(soon.day) - Date.parse(today.day)) / (24 * hourMs);
        expect([0, 1]).toContain(distance);
      }),
    );
  });

  it('has seven days in each week, Monday first', () => {
    fc.assert(
      fc.property(instants, fc.constantFrom(...zones), (instant, zone) => {
        const { day, week } = localDateOf(instant, zone);
        const monday = Date.parse(day) - ((new Date(day).getUTCDay() + 6) % 7) * 24 * hourMs;
        const weekOf = (offset: number): string => localDateOf(monday + offset * 24 * hourMs, 'UTC').week;
        expect([-1, 0, 6, 7].map((offset) => weekOf(offset) === week)).toEqual([false, true, true, false]);
      }),
    );
  });
});

describe('the day that follows', () => {
  const rents = fc.integer({ min: Date.UTC(2026, 0, 1), max: Date.UTC(2028, 0, 1) });

  it('is the next on the calendar, at the same time of the day, also when clocks are moved', () => {
    fc.assert(
      fc.property(rents, fc.constantFrom(...zones), (atMs, zone) => {
        const minute = minuteOfDay(atMs, zone);
        const nextMs = onNextDay(atMs, minute, zone);
        expect(daysBetween(localDateOf(atMs, zone).day, localDateOf(nextMs, zone).day)).toBe(1);
        // a time that the spring leaves out comes later, by at most the hour that is left out
        const shown = minuteOfDay(nextMs, zone) - minute;
        expect(shown === 0 || (shown > 0 && shown <= 60)).toBe(true);
        const hours = (nextMs - Math.floor(atMs / 60_000) * 60_000) / hourMs;
        expect([23, 23.5, 24, 24.5, 25]).toContain(hours);
      }),
    );
  });

  it('gives seven days seven dates, across both changes', () => {
    fc.assert(
      fc.property(rents, fc.constantFrom(...zones), (atMs, zone) => {
        const minute = minuteOfDay(atMs, zone);
        const dates = new Set<string>();
        for (let day = 1, nextMs = atMs; day <= 7; day += 1, nextMs = onNextDay(nextMs, minute, zone))
          dates.add(localDateOf(nextMs, zone).day);
        expect(dates.size).toBe(7);
      }),
    );
  });

  it.each([
    // 23 hours: 2027-03-14, 02:00 to 03:00 is left out
    ['2027-03-13T15:00:00Z', 600, '2027-03-14T14:00:00Z'],
    // a time that is left out
    ['2027-03-13T07:30:00Z', 150, '2027-03-14T07:30:00Z'],
    // 25 hours: 2026-11-01, 01:00 to 02:00 comes twice, and the first counts
    ['2026-10-31T14:00:00Z', 600, '2026-11-01T15:00:00Z'],
    ['2026-10-31T05:30:00Z', 90, '2026-11-01T05:30:00Z'],
  ])('after %s at minute %i in New York is %s', (after, minute, next) => {
    expect(new Date(onNextDay(Date.parse(after), minute, 'America/New_York'))).toEqual(new Date(next));
  });

  function daysBetween(one: string, other: string): number {
    return (Date.parse(other) - Date.parse(one)) / (24 * hourMs);
  }
});
