import { describe, expect, it } from 'vitest';
import { isSqlServerUrl, readSqlServerUrl } from './connection-settings.ts';

const messageOf = (url: string): string => {
  try {
    readSqlServerUrl(url);
    return 'accepted';
  } catch (error) {
    return (error as Error).message;
  }
};

describe('SQL_URL for SQL Server', () => {
  it('reads an address with everything by default: encrypted, certificate checked, bounded', () => {
    expect(readSqlServerUrl('mssql://app:p%40ss%3Bword@sql.example/shop')).toEqual({
      server: 'sql.example',
      port: 1_433,
      database: 'shop',
      authentication: { kind: 'sql', user: 'app', password: 'p@ss;word' },
      encrypt: true,
      trustServerCertificate: false,
      multiSubnetFailover: false,
      applicationName: 'order-saga',
      connectTimeoutMs: 5_000,
      requestTimeoutMs: 5_000,
      poolSize: 10,
      acquireTimeoutMs: 2_000,
      lockHints: 'auto',
      createDatabase: false,
    });
  });

  it('reads options of an address', () => {
    const url =
      'sqlserver://app:x@[::1]:14330/shop?trustServerCertificate=true&poolSize=25&acquireTimeoutMs=500&lockHints=off' +
      '&createDatabase=true&encrypt=strict&multiSubnetFailover=yes';
    expect(readSqlServerUrl(url)).toMatchObject({
      server: '::1',
      port: 14_330,
      trustServerCertificate: true,
      poolSize: 25,
      acquireTimeoutMs: 500,
      lockHints: 'off',
      createDatabase: true,
      encrypt: 'strict',
      multiSubnetFailover: true,
    });
  });

  it('reads an ADO-style connection string, quoted values and times in seconds among it', () => {
    const url =
      'Server=tcp:sql.example,1434; Initial Catalog=shop; User ID=app; Password="a;b""c"; Encrypt=Optional; ' +
      "Connect Timeout=30; Command Timeout=7; Max Pool Size=40; Application Name='it''s me'; " +
      'MultipleActiveResultSets=False; Persist Security Info=False;';
    expect(readSqlServerUrl(url)).toMatchObject({
      server: 'sql.example',
      port: 1_434,
      database: 'shop',
      authentication: { kind: 'sql', user: 'app', password: 'a;b"c' },
      encrypt: false,
      connectTimeoutMs: 30_000,
      requestTimeoutMs: 7_000,
      poolSize: 40,
      applicationName: "it's me",
    });
  });

  it('takes the last of two equal options', () => {
    expect(readSqlServerUrl('Server=a;Database=one;UID=u;PWD=p;Initial Catalog=two').database).toBe('two');
  });

  it('reads a named instance and the short names of this machine', () => {
    expect(readSqlServerUrl(String.raw`Data Source=.\SQLEXPRESS;Database=shop;UID=u;PWD=p`)).toMatchObject({
      server: 'localhost',
      instanceName: 'SQLEXPRESS',
    });
  });

  it('takes Microsoft Entra instead of a password, for a certain identity too', () => {
    expect(
      readSqlServerUrl('Server=s;Database=d;Authentication=Active Directory Default').authentication,
    ).toEqual({ kind: 'entra' });
    expect(readSqlServerUrl('mssql://client-1@s/d?authentication=entra').authentication).toEqual({
      kind: 'entra',
      clientId: 'client-1',
    });
  });

  it.each([
    ['mssql://app:secret@host/', 'the database is missing'],
    ['mssql://host/shop', 'user and password are missing'],
    ['mssql://app:secret@host/shop?trustServerCertficate=true', 'unknown option "trustServerCertficate"'],
    ['mssql://app:secret@host/shop?encrypt=maybe', 'encrypt: expected true, false or strict, came "maybe"'],
    ['mssql://app:secret@host/shop?poolSize=many', 'poolSize: expected a whole number, came "many"'],
    [
      'mssql://app:secret@host/shop?lockHints=sometimes',
      'lockHints: expected auto, on, off, came "sometimes"',
    ],
    [
      'mssql://app:secret@host/shop?applicationIntent=ReadOnly',
      'applicationIntent: expected ReadWrite, since the store writes, came "ReadOnly"',
    ],
    ['mssql://app:secret@host/shop?ApplicationIntent=ReadWrite', 'accepted'],
    ['mssql://app:secret@host/shop?createDatabase=perhaps', 'createDatabase: expected true or false'],
    ['Server=host;Database=shop;Integrated Security=SSPI', 'Windows logins among them, are not supported'],
    ['Server=np:host;Database=shop;UID=app;PWD=secret', 'no TCP address'],
    ['Database=shop;UID=app;PWD=secret', 'the server is missing'],
    ['Server=host;shop', 'expected Name=value pairs'],
    ['mssql://app:secret@host:port/shop', 'expected mssql://user:password@host:port/database'],
  ])('refuses %s and says why, without the password', (url, reason) => {
    expect(messageOf(url)).toContain(reason);
    expect(messageOf(url)).not.toContain('secret');
  });

  it.each([
    ['mssql://h/d', true],
    ['SQLSERVER://h/d', true],
    ['Server=h;Database=d', true],
    ['Data Source=h', true],
    ['sqlite:data.sqlite', false],
    ['mysql://u:p@h/d?a=b', false],
    ['postgres://h/d', false],
  ])('tells whether %s is for SQL Server', (url, expected) => {
    expect(isSqlServerUrl(url)).toBe(expected);
  });
});
