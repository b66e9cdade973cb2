/** Acts on a channel; does nothing when it is closed. What was not acknowledged is then delivered again by the broker. */
export function ifOpen(act: () => void): void {
  try {
    act();
  } catch (error) {
    if ((error as Error).name !== 'IllegalOperationError') throw error;
  }
}
