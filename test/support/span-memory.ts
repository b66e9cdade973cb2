import { context, trace } from '@opentelemetry/api';
import { AsyncLocalStorageContextManager } from '@opentelemetry/context-async-hooks';
import {
  AlwaysOnSampler,
  InMemorySpanExporter,
  ParentBasedSampler,
  RandomIdGenerator,
  SimpleSpanProcessor,
  TracerProvider,
} from '@opentelemetry/sdk-trace';
import { givenOr } from '../../telemetry/span-ids.ts';
import { setTracing } from '../../telemetry/tracing.ts';

/** Records the spans of this process in memory, as the product's own set-up would export them. */
export function rememberSpans() {
  const exporter = new InMemorySpanExporter();
  const provider = new TracerProvider({
    spanProcessors: [new SimpleSpanProcessor({ exporter })],
    sampler: new ParentBasedSampler({ root: new AlwaysOnSampler() }),
    idGenerator: givenOr(new RandomIdGenerator()),
  });
  context.setGlobalContextManager(new AsyncLocalStorageContextManager().enable());
  trace.setGlobalTracerProvider(provider);
  setTracing(true);
  return {
    spans: () => exporter.getFinishedSpans(),
    forget: () => exporter.reset(),
    close() {
      setTracing(false);
      trace.disable();
      context.disable();
    },
  };
}
