import { actRaces } from '../support/act-races.ts';

actRaces({ runs: 200, interruptAfterMs: 400_000 });
