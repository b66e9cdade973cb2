/**
 * `node infra/run.mjs <command> [arguments]`, what the npm scripts call. Any Node from 20 on can run it: it installs the packages when they are
 * missing or the lock file changed, and runs the command under the Node that came with them.
 */
import { spawn, spawnSync } from 'node:child_process';
import { existsSync, readFileSync } from 'node:fs';
import { delimiter, dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

const OLDEST_NODE = 20;
const OUR_NODE = 24;
const PARENT_POLL_MS = 1_000;

const project = join(dirname(fileURLToPath(import.meta.url)), '..');
const nodeFolder = join(project, 'node_modules', 'node', 'bin');
const ourNode = join(nodeFolder, 'node');

const commands = new Map([
  ['start', 'start.ts'],
  ['test', 'test.ts'],
  ['test:long', 'test-long.ts'],
  ['bench', 'bench.ts'],
  ['reset', 'reset.ts'],
]);
/** `npm run -s node -- <file> [arguments]`: any program of the clone. */
const ANY_PROGRAM = 'node';

const [name = '', ...rest] = process.argv.slice(2);
const script = name === ANY_PROGRAM ? programOf(rest.shift()) : commands.get(name);
if (script === undefined) {
  fail(`Unknown command "${name}". Known are: ${[...commands.keys(), ANY_PROGRAM].join(', ')}.`);
}
requireNode();
if (!packagesAreInstalled()) installPackages();
requireOurNode();
runUnderOurNode(join(project, 'infra', script));

/** @param {string | undefined} file */
function programOf(file) {
  if (file !== undefined && existsSync(join(project, file))) return join('..', file);
  return fail(`Expected a program of this clone, for example sandbox/server.ts; came ${file ?? 'nothing'}.`);
}

function requireNode() {
  const major = Number(process.versions.node.split('.')[0]);
  if (major >= OLDEST_NODE) return;
  fail(
    `Node ${OLDEST_NODE} or newer is needed to start; this is ${process.version}. Get one from https://nodejs.org.`,
  );
}

/**
 * npm notes what it has installed in node_modules/.package-lock.json. Everything the lock file asks for must be there in the same version;
 * only optional packages (those of other platforms) may be missing.
 */
function packagesAreInstalled() {
  const wanted = readPackages(join(project, 'package-lock.json'));
  const installed = readPackages(join(project, 'node_modules', '.package-lock.json'));
  if (wanted === undefined) fail('package-lock.json is missing: this is not a complete clone.');
  if (installed === undefined) return false;
  return Object.entries(wanted).every(
    ([path, { version, optional }]) =>
      path === '' ||
      installed[path]?.version === version ||
      (optional === true && installed[path] === undefined),
  );
}

/** @param {string} file */
function readPackages(file) {
  return existsSync(file) ? JSON.parse(readFileSync(file, 'utf8')).packages : undefined;
}

function installPackages() {
  console.log('Installing packages (npm ci) ...');
  const npm = process.env.npm_execpath;
  const [command, args] = npm === undefined ? ['npm', []] : [process.execPath, [npm]];
  const { status, error } = spawnSync(command, [...args, 'ci', '--no-audit', '--no-fund'], {
    cwd: project,
    stdio: 'inherit',
  });
  if (error !== undefined) fail(`npm cannot be run: ${error.message}`);
  if (status !== 0) fail('npm ci failed; what it printed above says why.');
}

/** The package `node` fetches its program in an install script, which npm may have been told not to run. */
function requireOurNode() {
  const { stdout } = spawnSync(ourNode, ['--version'], { encoding: 'utf8' });
  if (majorOf(stdout ?? '') >= OUR_NODE) return;
  fail(
    `node_modules/node/bin/node is not a working Node ${OUR_NODE}. npm was probably told to ignore install scripts.\n` +
      'Allow the one of the package "node" and install it again:\n' +
      '  npm rebuild node --ignore-scripts=false --foreground-scripts',
  );
}

/** @param {string} version */
function majorOf(version) {
  return Number(/^v(\d+)\./.exec(version)?.[1] ?? 0);
}

/** @param {string} file */
function runUnderOurNode(file) {
  const path = [join(project, 'node_modules', '.bin'), nodeFolder, process.env.PATH].join(delimiter);
  const settings = existsSync(join(project, '.env')) ? ['--env-file=.env'] : [];
  const child = spawn(ourNode, [...settings, file, ...rest], {
    cwd: project,
    env: { ...process.env, PATH: path },
    // The channel carries nothing: its end tells the child that this process was killed outright.
    stdio: ['inherit', 'inherit', 'inherit', 'ipc'],
  });
  for (const signal of /** @type {const} */ (['SIGINT', 'SIGTERM', 'SIGHUP'])) {
    process.on(signal, () => child.kill(signal));
  }
  const parent = process.ppid;
  // npm killed outright tells nobody; without it this run belongs to nobody.
  const watch = setInterval(() => {
    if (process.env.npm_lifecycle_event === undefined || process.ppid === parent) return;
    clearInterval(watch);
    child.kill('SIGTERM');
  }, PARENT_POLL_MS);
  watch.unref();
  child.on('error', (error) => fail(`${ourNode} cannot be run: ${error.message}`));
  child.on('exit', (code, signal) => {
    if (signal === null) process.exit(code ?? 1);
    for (const name of /** @type {const} */ (['SIGINT', 'SIGTERM', 'SIGHUP']))
      process.removeAllListeners(name);
    process.kill(process.pid, signal);
  });
}

/**
 * @param {string} message
 * @returns {never}
 */
function fail(message) {
  console.error(message);
  process.exit(1);
}
