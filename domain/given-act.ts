import { pickAddress } from './address.ts';
import type { Actor, Address, ResolveAction, ResolveInput } from './order.ts';

/** What an accepted act changes for every run of its order; nothing where it only moves the present one on. */
export interface Gives {
  cancel?: true;
  address?: Address;
  paymentMethodId?: string;
  service?: string;
  approval?: true;
  untilUtc?: string;
  /** The carrier is not asked about the address: the label decides. */
  skipsAddress?: true;
}

/** An accepted act, as SQL keeps it. */
export interface GivenAct extends Gives {
  actId: string;
  name: string;
  actor: Actor;
  reason: string;
  fingerprint?: string;
}

/** Fields of the acts that there are, all of them read already. */
interface ReadAct {
  actor: Actor;
  reason: string;
  fingerprint?: string;
  action?: ResolveAction;
  input?: ResolveInput;
  address?: Address;
  paymentMethodId?: string;
  untilUtc?: string;
}

export function givenAct(name: string, actId: string, act: ReadAct): GivenAct {
  const { actor, reason, fingerprint } = act;
  return {
    actId,
    name,
    actor,
    reason,
    ...(fingerprint === undefined ? {} : { fingerprint }),
    ...givenBy(name, act),
  };
}

function givenBy(name: string, act: ReadAct): Gives {
  switch (name) {
    case 'cancel':
      return { cancel: true };
    case 'shipping-address':
      return act.address ? { address: pickAddress(act.address) } : {};
    case 'payment':
      return act.paymentMethodId === undefined ? {} : { paymentMethodId: act.paymentMethodId };
    case 'approve':
      return { approval: true };
    case 'extend':
      return act.untilUtc === undefined ? {} : { untilUtc: act.untilUtc };
    default:
      return givenByResolve(act);
  }
}

function givenByResolve({ action, input = {} }: ReadAct): Gives {
  if (action === 'cancel') return { cancel: true };
  if (action === 'skip') return { skipsAddress: true };
  if (action !== 'retry-with') return {};
  const { paymentMethodId, service } = input;
  return {
    ...(paymentMethodId === undefined ? {} : { paymentMethodId }),
    ...(service === undefined ? {} : { service }),
  };
}
