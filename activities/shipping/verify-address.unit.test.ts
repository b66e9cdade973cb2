import { expect, it, vi } from 'vitest';
import { orderId } from '../../domain/ids.ts';
import type { ActivityDeps } from '../deps.ts';
import { createVerifyAddressAtOnce } from './verify-address.ts';

const question = {
  orderId: orderId('0190a5f0-0000-7000-8000-000000000001'),
  address: { name: 'A', street1: 'S', city: 'C', postalCode: '1', country: 'IN' },
  attemptTimeoutMs: 1_000,
};

function ask(pace: string, answer: { deliverable: true } | { deliverable: false; reason: string }) {
  const verifyAddress = vi.fn<() => Promise<typeof answer>>(() => Promise.resolve(answer));
  const shipping = { from: { country: 'IN' }, limits: [] };
  const deps = {
    carrier: { verifyAddress },
    providers: { pace: () => pace },
    shipping,
  } as unknown as ActivityDeps;
  return { asked: verifyAddress, answer: createVerifyAddressAtOnce(deps)(question) };
}

it('asks the carrier beside the saga while it takes steps at full pace', async () => {
  const { asked, answer } = ask('full', { deliverable: true });
  await expect(answer).resolves.toBeNull();
  expect(asked).toHaveBeenCalledWith({ address: question.address, timeoutMs: 1_000 });
});

it('gives the carrier’s refusal as the business answer', async () => {
  const { answer } = ask('full', { deliverable: false, reason: 'No such street.' });
  await expect(answer).rejects.toMatchObject({ type: 'AddressUndeliverable', message: 'No such street.' });
});

it.each(['stopped', 'probing', 'slow'])(
  'leaves a carrier that is spared (%s) in peace: its own task queue has the step',
  async (pace) => {
    const { asked, answer } = ask(pace, { deliverable: true });
    await expect(answer).rejects.toMatchObject({ type: 'ProviderUnavailable' });
    expect(asked).not.toHaveBeenCalled();
  },
);
