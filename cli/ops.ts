import { confirmOnTerminal, isAtTerminal } from './deps.ts';
import { createProgram } from './program.ts';

/*
 * What `order-saga` and `npm run -s ops --` run. The address of the API comes from --api, ORDER_SAGA_API or the running
 * product's `.runtime/addresses.json`, the key from ORDER_SAGA_API_KEY or the operator in API_CALLERS. Answers go to the
 * standard output; questions, remarks and refusals to the standard error output. Exit code 1 when something was refused.
 */
const program = createProgram(
  {
    print: (text) => console.log(text),
    say: (text) => console.error(text),
    confirm: confirmOnTerminal,
    atTerminal: isAtTerminal(),
  },
  process.env,
);

try {
  await program.parseAsync();
} catch (error) {
  console.error(error instanceof Error ? error.message : error);
  process.exitCode = 1;
}
