import { BlockList, isIP, SocketAddress } from 'node:net';
import type { WebhookTargets } from '../../ports/webhooks.ts';

/** Decides which addresses webhooks may reach. */
export interface TargetPolicy extends WebhookTargets {
  /** Why a connection to this address must not be made; undefined when it may. */
  addressRefusal(target: { address: string; protocol: 'http:' | 'https:' }): string | undefined;
}

const longestUrl = 2_048;

/** What the IANA special-purpose registry does not call globally reachable, and multicast. */
const notPublicV4 = [
  '0.0.0.0/8',
  '10.0.0.0/8',
  '100.64.0.0/10',
  '127.0.0.0/8',
  '169.254.0.0/16',
  '172.16.0.0/12',
  '192.0.0.0/24',
  '192.0.2.0/24',
  '192.31.196.0/24',
  '192.52.193.0/24',
  '192.88.99.0/24',
  '192.168.0.0/16',
  '192.175.48.0/24',
  '198.18.0.0/15',
  '198.51.100.0/24',
  '203.0.113.0/24',
  '224.0.0.0/4',
  '240.0.0.0/4',
];

/** Inside the global unicast range: protocol assignments with Teredo, documentation, and 6to4, which hides an IPv4 address. */
const notPublicV6 = ['2001::/23', '2001:db8::/32', '2002::/16', '2620:4f:8000::/48', '3fff::/20'];

/** Everything else of IPv6 is loopback, local, multicast, a translation of IPv4 (64:ff9b::/96) or not assigned. */
const globalUnicastV6 = ['2000::/3'];

const blockList = (blocks: readonly string[]): BlockList => {
  const list = new BlockList();
  for (const block of blocks) {
    const [network = '', prefix = ''] = block.split('/');
    list.addSubnet(network, Number(prefix), isIP(network) === 6 ? 'ipv6' : 'ipv4');
  }
  return list;
};

const privateV4 = blockList(notPublicV4);
const privateV6 = blockList(notPublicV6);
const globalV6 = blockList(globalUnicastV6);

/** @param input.allowPrivate CIDR blocks that may be reached though they are not public, and by plain http too. */
export function createTargetPolicy(input: { allowPrivate: readonly string[] }): TargetPolicy {
  const allowed = blockList(input.allowPrivate);
  const isAllowed = ({ address, family }: Address) => allowed.check(address, family);

  function addressRefusal(target: { address: string; protocol: 'http:' | 'https:' }): string | undefined {
    const address = read(target.address);
    if (address === undefined) return `"${target.address}" is not an IP address`;
    if (isAllowed(address)) return undefined;
    if (!isPublic(address)) return `${target.address} is not a public address`;
    return target.protocol === 'https:' ? undefined : 'plain http is for allowed private addresses only';
  }

  function refusal(text: string): string | undefined {
    if (text.length > longestUrl) return `expected at most ${longestUrl} characters`;
    const url = URL.parse(text);
    if (url === null || url.hostname === '') return 'expected an absolute URL';
    const { protocol } = url;
    if (protocol !== 'https:' && protocol !== 'http:') return 'expected https';
    if (url.username !== '' || url.password !== '') return 'expected no user name or password in the URL';
    if (url.hash !== '') return 'expected no fragment';
    const address = literalOf(url.hostname);
    if (address !== undefined) return addressRefusal({ address, protocol });
    return protocol === 'https:' ? undefined : 'expected https';
  }

  return { addressRefusal, refusal };
}

interface Address {
  address: string;
  family: 'ipv4' | 'ipv6';
}

/** The address with its family; an IPv4 address mapped into IPv6 is read as the IPv4 address that it reaches. */
function read(text: string): Address | undefined {
  const [address = ''] = text.split('%');
  if (isIP(address) === 4) return { address, family: 'ipv4' };
  if (isIP(address) !== 6) return undefined;
  const canonical = new SocketAddress({ address, family: 'ipv6' }).address;
  const mapped = /^::ffff:(\d+\.\d+\.\d+\.\d+)$/.exec(canonical)?.[1];
  return mapped === undefined ? { address: canonical, family: 'ipv6' } : { address: mapped, family: 'ipv4' };
}

const isPublic = ({ address, family }: Address): boolean =>
  family === 'ipv4'
    ? !privateV4.check(address, 'ipv4')
    : globalV6.check(address, 'ipv6') && !privateV6.check(address, 'ipv6');

/** The address that a URL's host is or, as RFC 6761 has it for `localhost`, always means; undefined for other names. */
export function literalOf(hostname: string): string | undefined {
  const host = hostname.replace(/^\[(.*)\]$/, '$1');
  if (isIP(host) !== 0) return host;
  return /^(.+\.)?localhost\.?$/i.test(host) ? '127.0.0.1' : undefined;
}
