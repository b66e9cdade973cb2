import { describe, expect, test } from 'vitest';
import { createSaga, type SagaRuntime, type Step } from './saga.ts';

/** A saga that is asked to stop before its first step; `stop` is what a stopped one throws. */
function stoppedSaga() {
  const stop = new Error('stop');
  const interrupted = async (): Promise<never> => {
    throw stop;
  };
  const runtime: SagaRuntime = {
    enter({ atomic }) {
      if (!atomic) throw stop;
    },
    interruptible: interrupted,
    classifyFailure: (error) => (error === stop ? 'interrupted' : 'technical'),
    park: interrupted,
    recovered: async () => {},
  };
  const ran: string[] = [];
  const step = (name: Step<void>['name'], atomic: boolean): Step<void> => ({
    name,
    kind: 'compensatable',
    atomic,
    forward: async () => void ran.push(name),
    compensation: { name: `undo-${name}`, step: name, run: async () => void ran.push(`undo-${name}`) },
  });
  return { saga: createSaga(runtime), step, ran, stop };
}

describe('a step that may have run in a lost workflow task', () => {
  test('runs although a stop was asked for, and is taken back', async () => {
    const { saga, step, ran, stop } = stoppedSaga();
    await saga.run(step('inventory', true));
    await expect(saga.run(step('payment', false))).rejects.toBe(stop);
    await saga.compensate();
    expect(ran).toEqual(['inventory', 'undo-inventory']);
  });

  test('is not parked past a stop, and is taken back for its outcome is not known', async () => {
    const { saga, step, ran, stop } = stoppedSaga();
    const failing = { ...step('inventory', true), forward: () => Promise.reject(new Error('no SQL')) };
    await expect(saga.run(failing)).rejects.toBe(stop);
    await saga.compensate();
    expect(ran).toEqual(['undo-inventory']);
  });
});
