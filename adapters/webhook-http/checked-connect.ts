import { Resolver } from 'node:dns/promises';
import { isIP, type LookupFunction } from 'node:net';
import { callbackify } from 'node:util';
import { buildConnector } from 'undici';
import { literalOf, type TargetPolicy } from './target-policy.ts';

/** All addresses of a name. Rejects with the resolver's code when it has none. */
export type ResolveName = (hostname: string) => Promise<string[]>;

/** A connection that must not be made. */
class TargetRefused extends Error {
  readonly code = 'TARGET_REFUSED';
}

const connectTimeoutMs = 5_000;

/**
 * Opens connections to addresses that the policy allows. The name is resolved here, once, at the moment of connecting:
 * the addresses that were judged are those that are connected to, so that a name cannot mean another one in between
 * (DNS rebinding). One forbidden address among several refuses them all.
 */
export function createCheckedConnect(input: {
  policy: TargetPolicy;
  resolve?: ResolveName;
  /** Certificates to trust in place of the well-known ones. */
  ca?: string;
}): buildConnector.connector {
  const { policy, resolve = resolveByDns, ca } = input;
  const connectorFor = (protocol: 'http:' | 'https:') =>
    buildConnector({
      timeout: connectTimeoutMs,
      allowH2: false,
      autoSelectFamily: true,
      lookup: checkedLookup({ protocol, policy, resolve }),
      ...(ca !== undefined && { ca }),
    });
  const plain = connectorFor('http:');
  const encrypted = connectorFor('https:');
  return (options, callback) => {
    const protocol = options.protocol === 'https:' ? 'https:' : 'http:';
    const address = literalOf(options.hostname);
    // Nothing is looked up for an address.
    const refusal = address === undefined ? undefined : policy.addressRefusal({ address, protocol });
    if (refusal !== undefined) return callback(new TargetRefused(refusal), null);
    (protocol === 'https:' ? encrypted : plain)(options, callback);
  };
}

interface Judged {
  address: string;
  family: number;
}

function checkedLookup(input: {
  protocol: 'http:' | 'https:';
  policy: TargetPolicy;
  resolve: ResolveName;
}): LookupFunction {
  const check = callbackify((hostname: string) => checkedAddresses(hostname, input));
  return (hostname, { all }, callback) =>
    check(hostname, (error: NodeJS.ErrnoException | null, addresses: Judged[]) => {
      const judged = error === null ? addresses : [];
      const [first] = judged;
      if (all === true || first === undefined) callback(error, judged);
      else callback(null, first.address, first.family);
    });
}

async function checkedAddresses(
  hostname: string,
  input: { protocol: 'http:' | 'https:'; policy: TargetPolicy; resolve: ResolveName },
): Promise<Judged[]> {
  const literal = literalOf(hostname);
  const addresses = literal === undefined ? await input.resolve(hostname) : [literal];
  if (addresses.length === 0)
    throw Object.assign(new Error(`${hostname} has no address`), { code: 'ENODATA' });
  for (const address of addresses) {
    const refusal = input.policy.addressRefusal({ address, protocol: input.protocol });
    if (refusal !== undefined) throw new TargetRefused(`${hostname} leads elsewhere: ${refusal}`);
  }
  return addresses.map((address) => ({ address, family: isIP(address) }));
}

/**
 * Asks the DNS servers without a thread of its own, which the system's resolver needs: four slow names would otherwise
 * hold up all others. The hosts file is not read.
 */
async function resolveByDns(hostname: string): Promise<string[]> {
  const resolver = new Resolver({ timeout: 2_000, tries: 2 });
  const answers = await Promise.allSettled([resolver.resolve4(hostname), resolver.resolve6(hostname)]);
  const addresses = answers.flatMap((answer) => (answer.status === 'fulfilled' ? answer.value : []));
  const failure = answers.find((answer) => answer.status === 'rejected');
  if (addresses.length === 0 && failure) throw failure.reason;
  return addresses;
}
