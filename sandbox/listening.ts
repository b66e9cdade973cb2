/** Waits for a server to listen; a port that cannot be had is an error that names the setting to change. */
export const listeningOr = async (
  listening: Promise<unknown>,
  { host, port, setting }: { host: string; port: number; setting: string },
): Promise<void> => {
  await listening.catch((cause: NodeJS.ErrnoException) => {
    const why = cause.code === 'EADDRINUSE' ? 'another program listens there' : cause.message;
    const act = `free it, or set ${setting} to another port (0 takes a free one)`;
    throw new Error(`The sandbox cannot listen on ${host}:${port} (${setting}): ${why}; ${act}`, { cause });
  });
};
