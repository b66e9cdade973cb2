/** What stands in place of a secret or of personal data. */
const masked = '***';

const personal =
  /^(to|cc|bcc|from|e-?mail|customer-?(e-?mail|name)|name|(first|last|full)-?name|(tele)?phone([_-]?number)?|address|street\d?|city|postal-?code|shipping-?address)$/i;
const secret =
  /(secret|token|passw(or)?d|authorization|api-?key|signature|cookie|credential|card|payment-?method|iban|cvc)/i;

const addresses = /[^\s@<>,;"'/:*]+@[^\s@<>,;"'/]+\.[^\s@<>,;"'/]+/g;
const urlSecrets = /(https?:\/\/)([^\s/@"']+@)?([^\s?#"']*)(\?[^\s#"']*)?/gi;
/** E.164, as addresses have them. */
const phones = /(?<![\w+])\+[1-9]\d{6,14}\b/g;
const keys = /\b(whsec|sk|rk|pk|pm|Bearer)[_ ][A-Za-z0-9_+/=-]{6,}/g;

/**
 * A copy to show: fields whose names say personal data or a secret, mail addresses, phone numbers, keys, and the credentials and
 * queries of web addresses are `***`. Names and the shape of the whole stay.
 */
export function mask(value: unknown): unknown {
  if (typeof value === 'string') return maskText(value);
  if (Array.isArray(value)) return value.map(mask);
  if (typeof value !== 'object' || value === null) return value;
  return Object.fromEntries(
    Object.entries(value).map(([name, part]) => [
      name,
      part !== null && (personal.test(name) || secret.test(name)) ? masked : mask(part),
    ]),
  );
}

export const maskText = (text: string): string =>
  text
    .replace(
      urlSecrets,
      (_whole, scheme: string, user: string | undefined, rest: string, query: string | undefined) =>
        `${scheme}${user === undefined ? '' : `${masked}@`}${rest}${query === undefined ? '' : `?${masked}`}`,
    )
    .replace(keys, masked)
    .replace(addresses, masked)
    .replace(phones, masked);
