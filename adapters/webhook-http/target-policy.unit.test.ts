import { describe, expect, it } from 'vitest';
import { createTargetPolicy, literalOf } from './target-policy.ts';

const strict = createTargetPolicy({ allowPrivate: [] });
const refusalOf = (address: string) => strict.addressRefusal({ address, protocol: 'https:' });

describe('an address', () => {
  it.each([
    '127.0.0.1',
    '127.255.255.254',
    '0.0.0.0',
    '10.1.2.3',
    '172.16.0.1',
    '172.31.255.255',
    '192.168.1.1',
    '100.64.0.1',
    '169.254.169.254',
    '169.254.170.2',
    '192.0.0.192',
    '198.18.0.1',
    '203.0.113.7',
    '224.0.0.1',
    '255.255.255.255',
    '::1',
    '::',
    '0:0:0:0:0:0:0:1',
    '::ffff:127.0.0.1',
    '::ffff:7f00:1',
    '0:0:0:0:0:ffff:a9fe:a9fe',
    '::127.0.0.1',
    '64:ff9b::a9fe:a9fe',
    '64:ff9b:1::1',
    'fe80::1',
    'fe80::1%eth0',
    'fc00::1',
    'fd00:ec2::254',
    'fec0::1',
    'ff02::1',
    '2001::1',
    '2001:db8::1',
    '2002:7f00:1::',
    '100::1',
    '5f00::1',
  ])('%s is not public and is refused', (address) => {
    expect(refusalOf(address)).toContain('is not a public address');
  });

  it.each(['8.8.8.8', '172.32.0.1', '100.128.0.1', '::ffff:8.8.8.8', '2606:4700::1111', '2a00:1450::1'])(
    '%s is public and is taken over https alone',
    (address) => {
      expect(refusalOf(address)).toBeUndefined();
      expect(strict.addressRefusal({ address, protocol: 'http:' })).toContain('plain http');
    },
  );

  it.each(['', 'localhost', '127.1', '0x7f000001', '::g'])('"%s" is none', (address) => {
    expect(refusalOf(address)).toContain('is not an IP address');
  });

  it('is taken where configuration allows it, in every notation, and no other with it', () => {
    const policy = createTargetPolicy({ allowPrivate: ['127.0.0.1/32', 'fd00:1::/64'] });
    const of = (address: string) => policy.addressRefusal({ address, protocol: 'http:' });
    expect(['127.0.0.1', '::ffff:127.0.0.1', '::ffff:7f00:1', 'fd00:1::9'].map(of)).toEqual(
      Array.from({ length: 4 }, () => undefined),
    );
    expect(['127.0.0.2', '::1', 'fd00:1:0:1::9', '169.254.169.254'].map(of)).not.toContain(undefined);
  });
});

describe('a URL', () => {
  it.each([
    'https://127.0.0.1/',
    'https://127.1/',
    'https://0x7f.0.0.1/',
    'https://017700000001/',
    'https://2130706433/',
    'https://[::1]/',
    'https://[::ffff:127.0.0.1]/',
    'https://169.254.169.254/latest/meta-data',
    'https://localhost/',
    'https://partner.localhost/',
    'https://LOCALHOST./',
    'https://１２７.0.0.1/',
  ])('%s names a private address and is refused', (url) => {
    expect(strict.refusal(url)).toContain('is not a public address');
  });

  it.each([
    ['partner.example', 'absolute URL'],
    ['https://', 'absolute URL'],
    ['ftp://partner.example/', 'https'],
    ['http://partner.example/', 'https'],
    ['http://8.8.8.8/', 'plain http'],
    ['https://user@partner.example/', 'user name'],
    ['https://:secret@partner.example/', 'user name'],
    ['https://partner.example/#part', 'fragment'],
    [`https://partner.example/${'x'.repeat(2_048)}`, 'characters'],
  ])('%s is refused: %s', (url, reason) => {
    expect(strict.refusal(url)).toContain(reason);
  });

  it.each(['https://partner.example/hooks?tenant=1', 'https://8.8.8.8:8443/', 'https://[2606:4700::1111]/'])(
    '%s is taken',
    (url) => {
      expect(strict.refusal(url)).toBeUndefined();
    },
  );

  it('of plain http is taken for an allowed address alone', () => {
    const policy = createTargetPolicy({ allowPrivate: ['127.0.0.1/32'] });
    expect(policy.refusal('http://127.0.0.1:4000/partner/acme')).toBeUndefined();
    expect(policy.refusal('http://localhost:4000/')).toBeUndefined();
    expect(policy.refusal('http://partner.example/')).toBe('expected https');
    expect(policy.refusal('http://10.0.0.1/')).toContain('not a public address');
  });
});

it('reads names as names and addresses as addresses', () => {
  expect(['partner.example', '[::1]', 'api.localhost', 'localhost.example'].map(literalOf)).toEqual([
    undefined,
    '::1',
    '127.0.0.1',
    undefined,
  ]);
});
