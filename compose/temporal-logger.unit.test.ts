import { expect, it } from 'vitest';
import { createLogger } from '../telemetry/logger.ts';
import { temporalLogger } from './temporal-logger.ts';

function logged(log: (logger: ReturnType<typeof temporalLogger>) => void): Record<string, unknown> {
  let line = '{}';
  const lines = { write: (text: string) => void (line = text) };
  log(temporalLogger(createLogger({ process: 'worker', level: 'debug', lines })));
  return JSON.parse(line) as Record<string, unknown>;
}

it('names order, workflow, run, step and attempt as all our lines do', () => {
  const line = logged((logger) =>
    logger.warn('Activity failed', {
      taskToken: 'CiQ3',
      workflowId: 'order-0b9d1f6e-2a43-5c1c-8e7f-6f1f1d6f0a11',
      workflowRunId: '019a2b3c-0000-7000-8000-000000000001',
      workflowType: 'fulfillOrder',
      activityType: 'generateShipment',
      attempt: 3,
      error: new Error('the carrier did not answer'),
    }),
  );
  expect(line).toMatchObject({
    level: 'warn',
    process: 'worker',
    orderId: '0b9d1f6e-2a43-5c1c-8e7f-6f1f1d6f0a11',
    workflowId: 'order-0b9d1f6e-2a43-5c1c-8e7f-6f1f1d6f0a11',
    runId: '019a2b3c-0000-7000-8000-000000000001',
    step: 'shipping',
    activity: 'generateShipment',
    attempt: 3,
    err: { message: 'the carrier did not answer' },
    msg: 'Activity failed',
  });
  expect(line).not.toHaveProperty('taskToken');
});

it('tells nothing of the memo, which a failed sink would bring along', () => {
  const line = logged((logger) =>
    logger.error('External sink function threw an error', { workflowInfo: { memo: { customerId: 'c-1' } } }),
  );
  expect(JSON.stringify(line)).not.toContain('c-1');
});

it('does not warn of what is as it should be', () => {
  const line = logged((logger) => logger.warn('No workflows registered, not polling for workflow tasks'));
  expect(line['level']).toBe('debug');
  expect(logged((logger) => logger.warn('Workflow task failed'))['level']).toBe('warn');
});
