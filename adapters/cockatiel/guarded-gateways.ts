import type { Carrier } from '../../ports/carrier.ts';
import type { PaymentGateway } from '../../ports/payment-gateway.ts';
import type { Circuit } from '../../ports/providers.ts';

/** Names of a port's methods that send nothing, and what an adapter has beside its port. */
type SendsNothing<Port> =
  | { [Name in keyof Port]: Port[Name] extends (input: never) => Promise<unknown> ? never : Name }[keyof Port]
  | 'close';

const localToPayments: Record<SendsNothing<PaymentGateway>, true> = {
  payable: true,
  verifyWebhook: true,
  close: true,
};
const localToCarrier: Record<SendsNothing<Carrier>, true> = { close: true };

/** The gateway behind its circuit: each request passes or is refused before it is sent. What sends none is untouched. */
export const guardedPayments = (gateway: PaymentGateway, circuit: Circuit): PaymentGateway =>
  guarded(gateway, localToPayments, circuit);

/** The carrier behind its circuit, as `guardedPayments`. */
export const guardedCarrier = (carrier: Carrier, circuit: Circuit): Carrier =>
  guarded(carrier, localToCarrier, circuit);

function guarded<Port extends object>(port: Port, local: Record<string, true>, circuit: Circuit): Port {
  const methods = Object.entries(port as Record<string, (input: unknown) => Promise<unknown>>);
  const requests = methods.filter(([name]) => !Object.hasOwn(local, name));
  const behind = requests.map(([name, send]) => [name, (input: unknown) => circuit.call(() => send(input))]);
  return { ...port, ...(Object.fromEntries(behind) as Partial<Port>) };
}
