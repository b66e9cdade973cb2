import { optionsFromEnvironment } from './sandbox-options.ts';
import { startSandbox } from './start-sandbox.ts';

export { startSandbox } from './start-sandbox.ts';

/** Runs the sandbox as a process of its own: prints one JSON line with its addresses, ends on SIGINT or SIGTERM. */
const main = async () => {
  const sandbox = await startSandbox(optionsFromEnvironment(process.env));
  let closing = false;
  const end = () => {
    if (closing) return;
    closing = true;
    void sandbox.close().then(() => process.exit(0));
  };
  process.on('SIGINT', end);
  process.on('SIGTERM', end);
  console.log(JSON.stringify({ msg: 'sandbox is ready', url: sandbox.url, smtpPort: sandbox.smtpPort }));
};

if (import.meta.main) await main();
