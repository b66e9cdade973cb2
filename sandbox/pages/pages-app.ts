import { Hono } from 'hono';
import { html } from 'hono/html';
import type { Clock } from '../clock.ts';
import type { Counts } from '../counts.ts';
import { refundStatus } from '../easypost/shipment-object.ts';
import type { Faults } from '../faults/faults.ts';
import { problem } from '../problem.ts';
import { viewMail } from '../smtp/mail-view.ts';
import type { Store } from '../store.ts';
import { displayAmount } from '../stripe/currencies.ts';
import { labelPage } from './label-page.ts';
import { page, time } from './layout.ts';

interface PagesDeps {
  store: Store;
  clock: Clock;
  counts: Counts;
  faults: Faults;
  smtpPort: () => number;
}

const SHOWN = 100;

const home = ({ faults, counts, smtpPort }: PagesDeps) => {
  const { business } = counts.read();
  const rules = faults.list();
  return page(
    'The outside world, on this machine',
    html`<p>
        This process stands in for the payment provider (Stripe's API), the carrier (EasyPost's API), a mail
        server on port ${smtpPort()} and partners that receive webhooks. It is never kinder than the real
        ones, and it can be made to fail on purpose.
      </p>
      <ul>
        <li><a href="/inbox">Inbox</a>: every mail that was sent (<a href="/inbox.json">as JSON</a>)</li>
        <li><a href="/payments">Payments</a>: payment intents; here you play the customer whose bank asks</li>
        <li><a href="/labels">Labels</a>: shipments and their labels</li>
        <li><a href="/sandbox/faults">Faults</a> in force: ${rules.length}</li>
        <li>
          <a href="/sandbox/counts">Counts</a>, <a href="/sandbox/ledger">ledger by order</a>,
          <a href="/sandbox/webhooks">webhooks sent</a>, <a href="/metrics">metrics</a>
        </li>
      </ul>
      <table>
        <thead>
          <tr>
            <th scope="col">So far</th>
            <th scope="col">Count</th>
          </tr>
        </thead>
        <tbody>
          ${Object.entries(business).map(
            ([name, value]) =>
              html`<tr>
                <td>${name.replaceAll('_', ' ')}</td>
                <td>${value}</td>
              </tr>`,
          )}
        </tbody>
      </table>
      <h2>Break it</h2>
      <pre>
curl -X POST http://127.0.0.1:PORT/sandbox/outage -H 'content-type: application/json' \\
  -d '{"provider":"easypost","seconds":60}'</pre>
      <p>More recipes are in <code>sandbox/README.md</code>.</p>`,
  );
};

const inbox = async ({ store }: PagesDeps) => {
  const mails = await Promise.all(store.list('mail', { limit: SHOWN }).map(viewMail));
  return page(
    'Inbox',
    html`<p>The newest ${SHOWN}.</p>
      <table>
        <thead>
          <tr>
            <th scope="col">Received</th>
            <th scope="col">To</th>
            <th scope="col">Subject</th>
          </tr>
        </thead>
        <tbody>
          ${mails.map(
            (mail) =>
              html`<tr>
                <td>${time(Date.parse(mail.receivedAt))}</td>
                <td>${mail.to.join(', ')}</td>
                <td><a href="/inbox/${mail.id}">${mail.subject || '(no subject)'}</a></td>
              </tr>`,
          )}
        </tbody>
      </table>`,
  );
};

const payments = ({ store }: PagesDeps) =>
  page(
    'Payments',
    html`<table>
      <thead>
        <tr>
          <th scope="col">Created</th>
          <th scope="col">Order</th>
          <th scope="col">Amount</th>
          <th scope="col">Status</th>
          <th scope="col">Customer</th>
        </tr>
      </thead>
      <tbody>
        ${store.list('intent', { limit: SHOWN }).map(
          (intent) =>
            html`<tr id="${intent.id}">
              <td>${time(intent.createdMs)}</td>
              <td><code>${intent.metadata.orderId ?? intent.id}</code></td>
              <td>${displayAmount(intent.amount, intent.currency)}</td>
              <td>${intent.status}</td>
              <td>
                <a href="/payments/${intent.id}?client_secret=${intent.secret}">Their page</a>
                ${
                  intent.status === 'requires_action'
                    ? html`<form method="post" action="/sandbox/payment_intents/${intent.id}/authenticate">
                        <button name="outcome" value="succeed">Approve</button>
                        <button name="outcome" value="fail">Refuse</button>
                      </form>`
                    : ''
                }
              </td>
            </tr>`,
        )}
      </tbody>
    </table>`,
  );

const labels = ({ store, clock }: PagesDeps) =>
  page(
    'Labels',
    html`<table>
      <thead>
        <tr>
          <th scope="col">Created</th>
          <th scope="col">Reference</th>
          <th scope="col">To</th>
          <th scope="col">Label</th>
          <th scope="col">Refund</th>
        </tr>
      </thead>
      <tbody>
        ${store.list('shipment', { limit: SHOWN }).map(
          (shipment) =>
            html`<tr>
              <td>${time(shipment.createdMs)}</td>
              <td><code>${shipment.reference ?? ''}</code></td>
              <td>${[shipment.to.name, shipment.to.city, shipment.to.country].filter(Boolean).join(', ')}</td>
              <td>
                ${
                  shipment.label
                    ? html`<a href="/labels/${shipment.id}">${shipment.label.trackingCode}</a>`
                    : 'not bought'
                }
              </td>
              <td>${refundStatus(shipment, clock.nowMs()) ?? ''}</td>
            </tr>`,
        )}
      </tbody>
    </table>`,
  );

/** Pages for people: what happened at the providers, and the customer's and recipient's side of it. */
export const createPagesApp = (deps: PagesDeps) => {
  const { store } = deps;
  const app = new Hono();
  app.get('/', (c) => c.html(home(deps)));
  app.get('/inbox', async (c) => c.html(await inbox(deps)));
  app.get('/inbox.json', async (c) => {
    const limit = Math.min(Number(c.req.query('limit') ?? 50) || 50, 1_000);
    const mails = store.list('mail', { parent: c.req.query('to')?.toLowerCase(), limit });
    const total = deps.counts.read().business.mails_received ?? 0;
    return c.json({ total, mails: await Promise.all(mails.map(viewMail)) });
  });
  app.get('/inbox/:id', async (c) => {
    const mail = store.get('mail', c.req.param('id'));
    if (!mail) return problem(c, 404, `No mail '${c.req.param('id')}'`);
    const view = await viewMail(mail);
    // The mail's own HTML is shown without scripts, forms or this page's origin.
    const body = view.html
      ? html`<iframe sandbox="" title="Mail" srcdoc="${view.html}"></iframe>`
      : html`<pre>${view.text ?? ''}</pre>`;
    const content = html`<p>From ${view.from} to ${view.to.join(', ')}, ${time(mail.receivedMs)}</p>
      ${body}
      <h2>Text part</h2>
      <pre>${view.text ?? '(none)'}</pre>`;
    return c.html(page(view.subject || '(no subject)', content));
  });
  app.get('/payments', (c) => c.html(payments(deps)));
  app.get('/labels', (c) => c.html(labels(deps)));
  app.get('/labels/:id', (c) => {
    const shipment = store.get('shipment', c.req.param('id'));
    if (!shipment?.label) return problem(c, 404, `No label for shipment '${c.req.param('id')}'`);
    return c.html(labelPage(shipment, shipment.label));
  });
  return app;
};
