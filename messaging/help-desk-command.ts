/** A command that a person can copy; the key comes from their environment. */
export const curl = (
  method: string,
  url: string,
  body: unknown,
  headers: Record<string, string> = {},
): string => {
  const more = Object.entries(headers).map(([name, value]) => ` -H '${name}: ${value}'`);
  return (
    `curl -X ${method} '${url}' -H "Authorization: Bearer $ORDER_SAGA_API_KEY" -H 'Content-Type: application/json'` +
    `${more.join('')} -d '${JSON.stringify(body)}'`
  );
};

export interface HelpDeskText {
  subject: string;
  /** Paragraphs, without line breaks. */
  lines: string[];
}
