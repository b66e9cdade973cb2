/**
 * Ends the launcher's children when the launcher itself is gone, however it went (SIGKILL included).
 * The launcher starts one of these with an IPC channel, tells it every child's process id, and never has to say good-bye:
 * the channel closes with the launcher. Each child leads a process group of its own, so grandchildren end as well.
 */
const GRACE_MS = 8_000;
const POLL_MS = 50;

/** @type {Set<number>} */
const watched = new Set();

process.on('message', (/** @type {{ watch?: number, forget?: number }} */ message) => {
  if (message.watch !== undefined) watched.add(message.watch);
  if (message.forget !== undefined) watched.delete(message.forget);
});
process.on('disconnect', () => void reap());
for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP']) process.on(signal, () => {});

async function reap() {
  const groups = [...watched].reverse();
  for (const group of groups) signalGroup(group, 'SIGTERM');
  const deadline = Date.now() + GRACE_MS;
  while (Date.now() < deadline && groups.some((group) => signalGroup(group, 0))) {
    await new Promise((resolve) => setTimeout(resolve, POLL_MS));
  }
  for (const group of groups) signalGroup(group, 'SIGKILL');
  process.exit(0);
}

/**
 * @param {number} group
 * @param {'SIGTERM' | 'SIGKILL' | 0} signal
 */
function signalGroup(group, signal) {
  try {
    return process.kill(-group, signal);
  } catch {
    return false;
  }
}
