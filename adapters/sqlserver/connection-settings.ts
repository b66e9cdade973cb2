/** How to reach a server and how to behave towards it; read from SQL_URL. Times in milliseconds. */
export interface SqlServerSettings {
  server: string;
  port: number;
  /** Named instance; its port is asked of SQL Browser. */
  instanceName?: string;
  database: string;
  authentication: { kind: 'sql'; user: string; password: string } | { kind: 'entra'; clientId?: string };
  /** `strict` is TDS 8: TLS before anything else. */
  encrypt: boolean | 'strict';
  /** Takes any certificate. Only when asked for by name. */
  trustServerCertificate: boolean;
  multiSubnetFailover: boolean;
  applicationName: string;
  /** Time to connect and log in. */
  connectTimeoutMs: number;
  /** Time of one statement, and of one commit. */
  requestTimeoutMs: number;
  /** Most connections at the same time. */
  poolSize: number;
  /** Longest wait for a free connection before StoreUnavailable. */
  acquireTimeoutMs: number;
  /** `auto`: on, but off for Babelfish, which ignores them. */
  lockHints: 'auto' | 'on' | 'off';
  /** Creates the database when it is missing and the login may; only when asked for: a name mistyped is no new shop. */
  createDatabase: boolean;
}

/** `mssql://…`, `sqlserver://…`, or an ADO-style string such as `Server=host,1433;Database=shop;User Id=app;…`. */
export const isSqlServerUrl = (url: string): boolean =>
  /^(mssql|sqlserver):\/\//i.test(url) || /^\s*[a-z][a-z ]*=/i.test(url);

/**
 * Reads SQL_URL. Throws an Error that names the option that does not fit and what was expected; passwords are never
 * repeated. Names of options are those of ADO.NET connection strings, in any case and with or without spaces; their
 * times are in seconds, unless the name ends in `Ms`.
 */
export function readSqlServerUrl(url: string): SqlServerSettings {
  const entries = /^(mssql|sqlserver):\/\//i.test(url) ? urlEntries(url) : adoEntries(url);
  const values = new Map<Option, string>();
  for (const [name, value] of entries) {
    const option = optionNames[plain(name)];
    if (option === 'ignored') continue;
    if (!option) throw new Error(`SQL_URL: unknown option "${name}"; known are ${knownOptions}`);
    values.set(option, value);
  }
  return settingsOf(values);
}

type Option = keyof typeof options;

/** Each option and its other names. */
const options = {
  server: ['datasource', 'addr', 'address', 'networkaddress'],
  port: [],
  database: ['initialcatalog'],
  user: ['userid', 'uid', 'username'],
  password: ['pwd'],
  authentication: [],
  encrypt: [],
  trustServerCertificate: [],
  multiSubnetFailover: [],
  applicationName: ['app'],
  integratedSecurity: ['trustedconnection'],
  connectTimeout: ['connectiontimeout', 'timeout'],
  connectTimeoutMs: [],
  commandTimeout: [],
  requestTimeoutMs: [],
  poolSize: ['maxpoolsize'],
  acquireTimeoutMs: [],
  lockHints: [],
  createDatabase: [],
  applicationIntent: [],
} as const;

/** ADO.NET options that change nothing here. */
const ignored = [
  'persistsecurityinfo',
  'multipleactiveresultsets',
  'pooling',
  'minpoolsize',
  'connectretrycount',
  'connectretryinterval',
];

const plain = (name: string): string => name.toLowerCase().replace(/[\s_]/g, '');
const knownOptions = Object.keys(options).join(', ');
const optionNames: Record<string, Option | 'ignored'> = {
  ...Object.fromEntries(ignored.map((name) => [name, 'ignored' as const])),
  ...Object.fromEntries(
    Object.entries(options).flatMap(([option, others]) =>
      [plain(option), ...others].map((name) => [name, option as Option]),
    ),
  ),
};

function urlEntries(text: string): [string, string][] {
  let url: URL;
  try {
    url = new URL(text);
  } catch {
    throw new Error(
      'SQL_URL: expected mssql://user:password@host:port/database?options, came something else',
    );
  }
  const entries: [string, string][] = [
    ['server', decodeURIComponent(url.hostname.replace(/^\[|\]$/g, ''))],
    ['database', decodeURIComponent(url.pathname.slice(1))],
  ];
  if (url.port) entries.push(['port', url.port]);
  if (url.username) entries.push(['user', decodeURIComponent(url.username)]);
  if (url.password) entries.push(['password', decodeURIComponent(url.password)]);
  return [...entries, ...url.searchParams];
}

/** `Name=value;…`; a value may stand in quotation marks of either kind, doubled inside, or in braces. */
function adoEntries(text: string): [string, string][] {
  const piece = /\s*([^=;]+?)\s*=\s*(?:"((?:[^"]|"")*)"|'((?:[^']|'')*)'|\{([^}]*)\}|([^;]*))\s*(?:;|$)/y;
  const entries: [string, string][] = [];
  while (piece.lastIndex < text.length) {
    if (/^[\s;]*$/.test(text.slice(piece.lastIndex))) break;
    const match = piece.exec(text);
    if (!match)
      throw new Error('SQL_URL: expected Name=value pairs separated by semicolons (Server=…;Database=…)');
    const [, name = '', double, single, braced, bare] = match;
    const value =
      double?.replaceAll('""', '"') ?? single?.replaceAll("''", "'") ?? braced ?? bare?.trim() ?? '';
    entries.push([name, value]);
  }
  return entries;
}

function settingsOf(values: ReadonlyMap<Option, string>): SqlServerSettings {
  refuseReadOnly(values);
  const address = addressOf(values);
  const database = values.get('database') ?? '';
  if (!database)
    throw new Error('SQL_URL: the database is missing: mssql://host/<database> or Database=<name>');
  const seconds = (option: Option) => {
    const value = wholeNumber(values, option, 0);
    return value === 0 ? undefined : value * 1_000;
  };
  return {
    ...address,
    database,
    authentication: authenticationOf(values),
    encrypt: encryptOf(values.get('encrypt')),
    trustServerCertificate: flag(values, 'trustServerCertificate', false),
    multiSubnetFailover: flag(values, 'multiSubnetFailover', false),
    applicationName: values.get('applicationName') ?? 'order-saga',
    connectTimeoutMs: wholeNumber(values, 'connectTimeoutMs', seconds('connectTimeout') ?? 5_000),
    requestTimeoutMs: wholeNumber(values, 'requestTimeoutMs', seconds('commandTimeout') ?? 5_000),
    poolSize: Math.max(1, wholeNumber(values, 'poolSize', 10)),
    acquireTimeoutMs: wholeNumber(values, 'acquireTimeoutMs', 2_000),
    lockHints: oneOf(values, 'lockHints', ['auto', 'on', 'off']),
    createDatabase: flag(values, 'createDatabase', false),
  };
}

/** The store writes: a secondary replica, which `ReadOnly` asks for, would refuse every step. */
function refuseReadOnly(values: ReadonlyMap<Option, string>): void {
  const intent = values.get('applicationIntent') ?? 'ReadWrite';
  if (plain(intent) !== 'readwrite') {
    throw new Error(
      `SQL_URL: applicationIntent: expected ReadWrite, since the store writes, came "${intent}"`,
    );
  }
}

/** `host`, `host,port`, `host\instance`, `tcp:host,port`. */
function addressOf(values: ReadonlyMap<Option, string>) {
  const given = (values.get('server') ?? '').replace(/^tcp:/i, '');
  const [, host = '', instanceName, port] = /^([^\\,]*)(?:\\([^,]*))?(?:,\s*(\d+))?$/.exec(given) ?? [];
  if (!host || /^(np|lpc):/i.test(given)) {
    throw new Error(
      'SQL_URL: the server is missing or no TCP address: mssql://<host>:<port>/… or Server=<host>,<port>',
    );
  }
  const server = ['.', '(local)'].includes(host.toLowerCase()) ? 'localhost' : host;
  return {
    server,
    port: port ? Number(port) : wholeNumber(values, 'port', 1_433),
    ...(instanceName && { instanceName }),
  };
}

function authenticationOf(values: ReadonlyMap<Option, string>): SqlServerSettings['authentication'] {
  const kind = plain(values.get('authentication') ?? 'sql');
  const user = values.get('user');
  if (['activedirectorydefault', 'entra'].includes(kind)) {
    return { kind: 'entra', ...(user && { clientId: user }) };
  }
  if (!['sql', 'sqlpassword'].includes(kind) || flag(values, 'integratedSecurity', false)) {
    throw new Error(
      'SQL_URL: expected a SQL login (user and password) or Authentication=Active Directory Default (Microsoft Entra); ' +
        'other kinds, Windows logins among them, are not supported',
    );
  }
  const password = values.get('password');
  if (!user || password === undefined) {
    throw new Error('SQL_URL: user and password are missing; or set Authentication=Active Directory Default');
  }
  return { kind: 'sql', user, password };
}

function encryptOf(value: string | undefined): boolean | 'strict' {
  const text = plain(value ?? 'true');
  if (text === 'strict') return 'strict';
  if (['true', 'yes', 'mandatory', '1'].includes(text)) return true;
  if (['false', 'no', 'optional', '0'].includes(text)) return false;
  throw new Error(`SQL_URL: encrypt: expected true, false or strict, came "${value}"`);
}

function flag(values: ReadonlyMap<Option, string>, option: Option, fallback: boolean): boolean {
  const value = values.get(option);
  if (value === undefined) return fallback;
  if (['true', 'yes', '1', 'sspi'].includes(plain(value))) return true;
  if (['false', 'no', '0'].includes(plain(value))) return false;
  throw new Error(`SQL_URL: ${option}: expected true or false, came "${value}"`);
}

function wholeNumber(values: ReadonlyMap<Option, string>, option: Option, fallback: number): number {
  const value = values.get(option);
  if (value === undefined) return fallback;
  if (/^\d{1,7}$/.test(value.trim())) return Number(value);
  throw new Error(`SQL_URL: ${option}: expected a whole number, came "${value}"`);
}

function oneOf<const T extends string>(
  values: ReadonlyMap<Option, string>,
  option: Option,
  choices: [T, ...T[]],
): T {
  const value = values.get(option)?.toLowerCase() ?? choices[0];
  const chosen = choices.find((choice) => choice === value);
  if (chosen === undefined)
    throw new Error(`SQL_URL: ${option}: expected ${choices.join(', ')}, came "${value}"`);
  return chosen;
}
