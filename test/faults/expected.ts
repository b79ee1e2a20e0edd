// What the tests of broken parts share: a link on which faults can be aimed, and how an operation must end.

/** A segment of 1 MiB takes some two seconds. */
export const slow = { bytesPerSecond: 500_000 };

export const completed = {
  outcome: 'completed',
  broken: [],
  gatewayUp: true,
  resentSegments: 0,
  overwritten: 0,
  leftovers: 0,
};
