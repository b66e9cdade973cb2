import type { OrderState } from './state.ts';

/** The command that sends one of the order's signals with Temporal's own tool; holds no personal data. */
export function signalCommand(
  { input: { checkout } }: Pick<OrderState, 'input'>,
  { name, input = {} }: { name: string; input?: object },
): string {
  const json = JSON.stringify({ ...input, actor: 'your-name', reason: 'why' });
  return `npm run -s temporal -- workflow signal --workflow-id order-${checkout.orderId} --name ${name} --input '${json}'`;
}
