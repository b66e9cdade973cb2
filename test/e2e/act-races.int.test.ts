import { actRaces } from '../support/act-races.ts';

actRaces({ runs: 12, interruptAfterMs: 40_000 });
