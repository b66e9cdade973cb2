import type { Clock } from '../../ports/clock.ts';

/** One attempt of an activity in the model: runs until its next gate, and may be killed there for good. */
export interface Actor {
  name: string;
  dead: boolean;
}

/** What came of one attempt. */
export type Answer = { actor: string; value: unknown } | { actor: string; error: Error };

/** Something that is to be reached: attempts are started until one answers. */
export interface Goal {
  name: string;
  /** Whether it has been asked for at this step; attempts of it may come at any time afterwards. */
  wanted(step: number): boolean;
  attempt(actor: Actor): Promise<unknown>;
  /** Whether this answer reaches the goal; throws for an answer that must never be given. */
  reached(answer: Answer): boolean;
}

/** An effect at a provider under way: it lands when the model says so, whether or not anybody still waits for it. */
interface Request {
  actor: Actor;
  lands: Landing;
  /** The caller gives up at this time. */
  untilMs: number;
  /** It has landed, or never will, by this time; Infinity when it may land at any time. */
  landsByMs: number;
  /** Applies the effect; a caller that still waits gets its answer. */
  land(mode: Landing): void;
  giveUp(): void;
  abandoned: boolean;
  modes: readonly Landing[];
}

/** `refused`: not done, and the provider says so. `spent`: the provider stores an error under the request's key, with or without the effect. */
export type Landing = 'answered' | 'refused' | 'reply-lost' | 'dropped' | 'spent' | 'spent-with-effect';

interface Option {
  label: string;
  run(): void;
}

interface Gate {
  actor: Actor;
  label: string;
  modes: readonly string[];
  resume(mode: string): void;
}

export interface Interleaving {
  clock: Clock;
  nowMs(): number;
  /** Lets time go by between two runs. */
  pass(ms: number): void;
  /** What happened, for the message of a failed property. */
  log: string[];
  /** Waits until the model lets the actor go on, in one of the modes; the first mode is that nothing goes wrong. */
  gate<Mode extends string>(actor: Actor, label: string, modes: readonly [Mode, ...Mode[]]): Promise<Mode>;
  request<T>(
    actor: Actor,
    call: {
      label: string;
      /** How it lands when nothing else is decided; `answered` by default. */
      lands?: Landing | undefined;
      timeoutMs: number;
      landsLaterMs: number;
      modes: readonly Landing[];
      effect(mode: Landing): { value: T } | { error: Error };
      lost(): Error;
      refused(): Error;
    },
  ): Promise<T>;
  /** Things that happen in the outside world at some time or never. */
  also(option: Option): void;
  /** Runs the goals to their end: first as `decisions` say, then without further faults. Returns all answers. */
  run(goals: readonly Goal[]): Promise<Answer[]>;
}

const HOUR = 3_600_000;
const MAXIMUM_STEPS = 3_000;
const MAXIMUM_ATTEMPTS = 8;
const HUNDREDTHS = Array.from({ length: 100 }, (_, index) => index);

/**
 * Runs concurrent attempts in an order that `decisions` determine: at each step one of the possible things happens (an
 * attempt goes on to its next gate, is killed, a request lands, is lost or lands after its caller gave up, time goes by,
 * another attempt starts). When the decisions are used up no more faults happen, and everything has to end well.
 */
export function createInterleaving(decisions: readonly number[]): Interleaving {
  let now = Date.parse('2026-01-02T03:04:05.000Z');
  let running = 0;
  let step = 0;
  let wake = () => {};
  const gates = new Set<Gate>();
  const requests = new Set<Request>();
  const live = new Set<Actor>();
  const outside: Option[] = [];
  const log: string[] = [];

  const pause = () => {
    running -= 1;
    if (running === 0) wake();
  };
  const quiet = () => (running === 0 ? Promise.resolve() : new Promise<void>((resolve) => (wake = resolve)));

  const gate: Interleaving['gate'] = (actor, label, modes) =>
    new Promise((resolve) => {
      const entry: Gate = {
        actor,
        label,
        modes,
        resume: (mode) => {
          gates.delete(entry);
          running += 1;
          resolve(mode as (typeof modes)[0]);
        },
      };
      gates.add(entry);
      pause();
    });

  const request: Interleaving['request'] = (actor, call) =>
    new Promise((resolve, reject) => {
      const answer = (act: () => void) => {
        if (entry.abandoned || actor.dead) return;
        running += 1;
        act();
      };
      const entry: Request = {
        actor,
        lands: call.lands ?? 'answered',
        untilMs: now + call.timeoutMs,
        landsByMs: now + call.timeoutMs + call.landsLaterMs,
        modes: call.modes,
        abandoned: false,
        land(mode) {
          requests.delete(entry);
          if (mode === 'dropped') return answer(() => reject(call.lost()));
          if (mode === 'refused') return answer(() => reject(call.refused()));
          const result = call.effect(mode);
          if (mode === 'reply-lost') return answer(() => reject(call.lost()));
          answer(() => ('value' in result ? resolve(result.value) : reject(result.error)));
        },
        giveUp() {
          answer(() => reject(call.lost()));
          entry.abandoned = true;
        },
      };
      Object.assign(entry, { label: call.label });
      requests.add(entry);
      pause();
    });

  function advance(ms: number): void {
    for (const entry of requests) {
      if (!entry.abandoned && !entry.actor.dead && entry.untilMs <= now + ms) entry.giveUp();
      if (entry.landsByMs <= now + ms) entry.land(pick(['answered', 'dropped']));
    }
    now += ms;
  }

  const pick = <T>(list: readonly T[]): T => {
    const decision = decisions[step] ?? 0;
    step += 1;
    return list[decision % list.length] as T;
  };

  function kill(actor: Actor): void {
    Object.assign(actor, { dead: true });
    live.delete(actor);
    for (const entry of gates) if (entry.actor === actor) gates.delete(entry);
  }

  const answers: Answer[] = [];
  const reached = new Set<string>();
  const started = new Map<string, number>();

  function start(goal: Goal): void {
    const count = (started.get(goal.name) ?? 0) + 1;
    started.set(goal.name, count);
    const actor: Actor = { name: `${goal.name}#${count}`, dead: false };
    live.add(actor);
    running += 1;
    const end = (answer: Answer) => {
      live.delete(actor);
      answers.push(answer);
      log.push(`${actor.name} ${'value' in answer ? 'answers' : `fails: ${answer.error.message}`}`);
      if (goal.reached(answer)) reached.add(goal.name);
      pause();
    };
    goal.attempt(actor).then(
      (value) => end({ actor: actor.name, value }),
      (error: Error) => end({ actor: actor.name, error }),
    );
  }

  const resuming = (entry: Gate, mode: string): Option => ({
    label: `${entry.actor.name} ${entry.label}${mode === entry.modes[0] ? '' : ` [${mode}]`}`,
    run: () => entry.resume(mode),
  });
  const landing = (entry: Request, mode: Landing): Option => ({
    label: `${entry.actor.name} ${(entry as unknown as { label: string }).label} ${mode}${entry.abandoned || entry.actor.dead ? ' (late)' : ''}`,
    run: () => entry.land(mode),
  });
  const passing = (ms: number): Option => ({ label: `${ms} ms go by`, run: () => advance(ms) });

  /** Attempts go on by rank, so that some are left behind for long; a rank changes now and then. */
  const ranks = new Map<Actor, number>();
  const firstByRank = <T extends { actor: Actor }>(entries: Iterable<T>): T | undefined =>
    [...entries].toSorted((one, two) => (ranks.get(one.actor) ?? 0) - (ranks.get(two.actor) ?? 0))[0];

  /** After the storm these go on last of all: they end when everything else has ended. */
  const behind = new Set<Actor>();

  const waitsForAnswer = (entry: Request) => !entry.abandoned && !entry.actor.dead;

  const progress = (): Option[] => {
    const next = firstByRank<Gate | Request>([...gates, ...[...requests].filter(waitsForAnswer)]);
    if (!next) return [];
    return ['resume' in next ? resuming(next, next.modes[0] ?? '') : landing(next, next.lands)];
  };
  const faults = (): Option[] => [
    ...[...gates].flatMap((entry) => entry.modes.slice(1).map((mode) => resuming(entry, mode))),
    ...[...requests]
      .filter(waitsForAnswer)
      .flatMap((entry) => [
        ...entry.modes.map((mode) => landing(entry, mode)),
        { label: `${entry.actor.name} gives up`, run: () => entry.giveUp() },
      ]),
  ];
  const late = (): Option[] =>
    [...requests].filter((entry) => !waitsForAnswer(entry)).map((entry) => landing(entry, 'answered'));
  const deaths = (): Option[] =>
    [...live].map((actor) => ({ label: `${actor.name} is killed`, run: () => kill(actor) }));
  const shuffles = (): Option[] =>
    [...live].map((actor) => ({
      label: `${actor.name} falls behind`,
      run: () => {
        ranks.set(actor, (ranks.get(actor) ?? 0) + live.size + step);
        behind.add(actor);
      },
    }));
  const starts = (goals: readonly Goal[]): Option[] =>
    goals
      .filter(({ name, wanted }) => wanted(step) && (started.get(name) ?? 0) < MAXIMUM_ATTEMPTS)
      .map((goal) => ({ label: `another ${goal.name}`, run: () => start(goal) }));

  /** What happens next, by hundredths of its likelihood. */
  function stormy(goals: readonly Goal[]): Option[] {
    const kinds: readonly [number, () => Option[]][] = [
      [60, progress],
      [9, faults],
      [5, late],
      [4, deaths],
      [7, shuffles],
      [8, () => starts(goals)],
      [5, () => [60, 400, 1_300, 2_600].map(passing)],
      [2, () => [...outside, passing(25 * HOUR)]],
    ];
    let left = pick(HUNDREDTHS);
    const kind = kinds.find(([weight]) => (left -= weight) < 0);
    const options = kind?.[1]() ?? [];
    return [options, progress(), starts(goals), [passing(400)]].find((list) => list.length > 0) ?? [];
  }

  function calm(goals: readonly Goal[]): Option | undefined {
    const lags = (entry: Gate | Request) =>
      behind.has(entry.actor) || ('resume' in entry ? false : !waitsForAnswer(entry));
    const next = [...gates, ...requests].toSorted((one, two) => Number(lags(one)) - Number(lags(two)))[0];
    const goal = goals.find(({ name, wanted }) => wanted(Number.POSITIVE_INFINITY) && !reached.has(name));
    if (next && (!goal || !lags(next))) {
      return 'resume' in next ? resuming(next, next.modes[0] ?? '') : landing(next, next.lands);
    }
    if (!goal) return undefined;
    return {
      label: `another ${goal.name}, 300 ms later`,
      run: () => {
        advance(300);
        start(goal);
      },
    };
  }

  async function run(goals: readonly Goal[]): Promise<Answer[]> {
    reached.clear();
    started.clear();
    for (let count = 0; count < MAXIMUM_STEPS; count += 1) {
      await quiet();
      const option = step < decisions.length ? pick(stormy(goals)) : calm(goals);
      if (!option) return answers;
      log.push(option.label);
      option.run();
    }
    throw new Error(`No end after ${MAXIMUM_STEPS} steps:\n${log.slice(-60).join('\n')}`);
  }

  return {
    clock: { nowUtc: () => new Date(now).toISOString() },
    nowMs: () => now,
    pass: advance,
    log,
    gate,
    request,
    also: (option) => outside.push(option),
    run,
  };
}
