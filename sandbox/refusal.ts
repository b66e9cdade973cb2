/** What is sent back over HTTP. A string body is sent as it is, anything else as JSON. */
export interface Reply {
  status: number;
  body: unknown;
  headers?: Record<string, string>;
}

type Refusal = Error & { reply: Reply };

/** An error that carries its answer; thrown anywhere inside a provider call. */
export const refusal = (reply: Reply, message: string): Refusal =>
  Object.assign(new Error(message), { reply });

export const replyOf = (error: unknown): Reply | undefined =>
  error instanceof Error && 'reply' in error ? (error as Refusal).reply : undefined;

/** Runs `work` and turns a refusal into its answer; other errors are bugs and go on. */
export const answered = (work: () => Reply): Reply => {
  try {
    return work();
  } catch (error) {
    const reply = replyOf(error);
    if (!reply) throw error;
    return reply;
  }
};
