import { html } from 'hono/html';

export type Html = ReturnType<typeof html>;

const STYLE = `
  :root { color-scheme: light dark; --line: color-mix(in srgb, currentColor 18%, transparent); }
  body { font: 16px/1.5 system-ui, sans-serif; max-width: 60rem; margin: 2rem auto; padding: 0 1rem; }
  nav a { margin-right: 1rem; }
  table { border-collapse: collapse; width: 100%; }
  th, td { text-align: left; padding: .35rem .75rem .35rem 0; border-bottom: 1px solid var(--line); vertical-align: top; }
  th { font-weight: 600; }
  code, pre { font-family: ui-monospace, monospace; font-size: .9em; }
  pre { overflow-x: auto; padding: .75rem; border: 1px solid var(--line); border-radius: 6px; }
  form { display: inline; }
  button { font: inherit; padding: .1rem .6rem; }
  iframe { width: 100%; height: 32rem; border: 1px solid var(--line); border-radius: 6px; background: white; }
  .label { border: 2px solid currentColor; border-radius: 8px; padding: 1.25rem; max-width: 26rem; }
  .code { font: 700 1.15rem ui-monospace, monospace; letter-spacing: .05em; }`;

/** The frame every page of the sandbox stands in. */
export const page = (title: string, content: Html): Html =>
  html`<!doctype html>
    <html lang="en">
      <head>
        <meta charset="utf-8" />
        <meta name="viewport" content="width=device-width, initial-scale=1" />
        <title>${title} · sandbox</title>
        <style>
          ${STYLE}
        </style>
      </head>
      <body>
        <nav aria-label="Pages">
          <a href="/">Sandbox</a><a href="/inbox">Inbox</a><a href="/payments">Payments</a
          ><a href="/labels">Labels</a>
        </nav>
        <h1>${title}</h1>
        ${content}
      </body>
    </html>`;

export const time = (ms: number): Html => {
  const iso = new Date(ms).toISOString();
  return html`<time datetime="${iso}">${iso.slice(0, 19).replace('T', ' ')}</time>`;
};
