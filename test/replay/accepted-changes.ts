/**
 * What the workflows of today ask for otherwise than an earlier version recorded, and why that may be. Nothing that a
 * provider is asked with may stand here: another number, key, method or amount is another effect.
 */
export const acceptedChanges: { change: RegExp; why: string }[] = [
  {
    change: /^activity \d+ (\w+Order|recordNote), input, 0, run: recorded nothing, /,
    why: 'notes are keyed by run as well; an attempt that is under way keeps the input it was scheduled with',
  },
  {
    change: /^activity \d+ recordNote, input, 0, failure: recorded nothing, /,
    why: 'the note of turning back stores the failure for a second run',
  },
  {
    change:
      /^activity \d+ recordNote, input, 0, reason: recorded "the hold had ended when it came to this act: /,
    why: 'words for people',
  },
  {
    change: /^activity \d+ providerState, input, 0, timedOut: recorded nothing, /,
    why: 'a question without effect',
  },
  {
    change: /^activity \d+ parkOrder, input, 0, parked, (failureType|needs|actions, \d): recorded nothing, /,
    why: 'the parked step is shown with the type of its failure and with more ways on',
  },
  {
    change: /^activity \d+ parkOrder, input, 0, parked, failure: recorded "ApplicationFailure: /,
    why: 'words for people',
  },
  {
    change: /^search attributes, values, FailureType: recorded nothing, /,
    why: 'a parked order is found by the type of its failure',
  },
  {
    change:
      /^activity \d+ (findOrders|actOnSlice|noteOrderAct), startToCloseMs: recorded 300000, now 600000$/,
    why: 'a slice of silent orders takes longer',
  },
];

/** Whether a line of `differences` is one of them. */
export const isAccepted = (line: string): boolean => acceptedChanges.some(({ change }) => change.test(line));
