/**
 * What must not leave a process in logs and traces although somebody put it into a text: mostly what others say in
 * their error messages. Names and streets have no pattern: they are kept out by never being given (`privateFields`).
 */
const patterns: readonly [pattern: RegExp, instead: string][] = [
  [/:\/\/[^\s/@:"]{0,128}:[^\s/@"]{1,256}@/g, '://[credentials]@'],
  [/[\w.!#$%&'*+/=?^`{|}~-]{1,64}@(?:[a-z0-9-]{1,63}\.){1,8}[a-z]{2,24}\b/gi, '[email]'],
  [/\b(?:sk|rk|pk)_(?:test|live)_\w+/g, '[key]'],
  [/\bwhsec_[\w+/=-]+/g, '[key]'],
  [/\bEZ[AT]K\w+/g, '[key]'],
  [/\bBearer +[\w.~+/-]+=*/gi, '[key]'],
  [/\bpi_\w+?_secret_\w+/g, '[secret]'],
  [/(?<![\w+])\+[1-9]\d{6,14}\b/g, '[phone]'],
  [/\b(?:pm_\w+|(?:card|tok|src)_[A-Za-z0-9]{14,})/g, '[payment method]'],
  [/(?<![\w-])\d{4}([ -]?)\d{4}\1\d{4}\1\d{3,7}(?![\w-])/g, '[card]'],
];

/** The text with mail addresses, card numbers, payment methods, keys and credentials in addresses taken out. */
export function scrubText(text: string): string {
  let scrubbed = text;
  for (const [pattern, instead] of patterns) scrubbed = scrubbed.replace(pattern, instead);
  return scrubbed;
}

/** Names of fields that hold personal data or secrets wherever they occur. */
const privateFields: ReadonlySet<string> = new Set(
  [
    'email',
    'customerEmail',
    'customerName',
    'address',
    'shippingAddress',
    'street1',
    'street2',
    'city',
    'postalCode',
    'zip',
    'phone',
    'paymentMethodId',
    'paymentMethod',
    'payment_method',
    'clientSecret',
    'authorization',
    'cookie',
    'password',
    'secret',
    'secrets',
    'apiKey',
    'payload',
    'body',
    'args',
  ].map((name) => name.toLowerCase()),
);

const deepest = 6;

/** The value without private fields at any depth; errors are left to who describes them. */
export function withoutPrivate<T>(value: T, depth = 0): T {
  if (typeof value !== 'object' || value === null || value instanceof Error || depth > deepest) return value;
  if (Array.isArray(value)) return value.map((item: unknown) => withoutPrivate(item, depth + 1)) as T;
  if (Object.getPrototypeOf(value) !== Object.prototype) return value;
  const kept = Object.entries(value)
    .filter(([name]) => !privateFields.has(name.toLowerCase()))
    .map(([name, field]) => [name, withoutPrivate(field as unknown, depth + 1)] as const);
  return Object.fromEntries(kept) as T;
}
