import { pickAddress } from './address.ts';
import type { Actor, Address, ResolveAction, ResolveInput } from './order.ts';

/**
 * What has come of an act: `pending` until SQL has it, `accepted` until it has its effect, `done`, `overtaken` by something
 * else that was accepted, or `refused` after its call was answered.
 */
export const actStates = ['pending', 'accepted', 'done', 'overtaken', 'refused'] as const;
export type ActState = (typeof actStates)[number];

/** An act as whoever asked for it may see it. */
export interface ActView {
  actId: string;
  /** Name of its update and signal. */
  name: string;
  state: ActState;
  /** Why it was refused or came to nothing. */
  reason?: string;
  /** Of the request that asked for it. */
  fingerprint?: string;
}

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
