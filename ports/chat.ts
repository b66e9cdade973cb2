/** A channel that people read. */
export interface Chat {
  /** `refused`: the channel will never take it. Rejects when it may take it later. */
  post(text: string): Promise<{ status: 'posted' } | { status: 'refused'; reason: string }>;
}
