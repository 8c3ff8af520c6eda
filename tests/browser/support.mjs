// A server, a browser, and short ways to use both.
import {spawn} from 'node:child_process';
import {readFileSync} from 'node:fs';
import {createRequire} from 'node:module';
import {join} from 'node:path';

const require = createRequire(join(process.env.CFD_NODE_MODULES, 'package.json'));
const {chromium} = require('playwright-core');
const axe = readFileSync(require.resolve('axe-core/axe.min.js'), 'utf8');

export const patience = 30_000;

/// Starts the server; ports are of the system's choice unless given.
export async function start_server(command, http_port = '0') {
  const child = spawn(command, ['emulator', '--host', '127.0.0.1', '--port', '0', '--http-port', http_port],
    {stdio: ['ignore', 'pipe', 'inherit']});
  let said = '';
  const url = await new Promise((resolve, reject) => {
    child.once('exit', code => reject(new Error(`the server ended with ${code}: ${said}`)));
    child.stdout.on('data', data => {
      said += data;
      const found = /the page: (http:\S+)\n/.exec(said);
      if (found) resolve(found[1]);
    });
  });
  child.removeAllListeners('exit');
  const stop = () => new Promise(done => {
    if (child.exitCode !== null || child.signalCode !== null) return done();
    child.once('exit', done);
    child.kill('SIGTERM');
  });
  return {url, stop, rest: (method, path, body) => rest(url, method, path, body)};
}

async function rest(url, method, path, body) {
  const response = await fetch(new URL(`/v1/projects/demo/${path}`, url), {
    method, headers: body ? {'Content-Type': 'application/json'} : {}, body: body && JSON.stringify(body)});
  const answer = await response.json();
  if (!response.ok) throw new Error(`${method} ${path}: ${answer.error.message}`);
  return answer;
}

export const base64 = bytes => Buffer.from(bytes).toString('base64');

/// Rules as of --host-resolver-rules, for names that an attacker would own.
export function start_browser(...rules) {
  return chromium.launch({executablePath: process.env.CFD_CHROMIUM,
    args: ['--no-sandbox', '--disable-gpu', ...rules.map(rule => `--host-resolver-rules=${rule}`)]});
}

/// What the accessibility check finds on the page as it is now, one line each.
export async function accessibility_problems(page, part = 'html') {
  // The page's own policy keeps other scripts out, as it should; this one comes in by the debugger.
  await page.evaluate(axe + ';0');
  const {violations} = await page.evaluate(where => axe.run(where, {runOnly: ['wcag2a', 'wcag2aa', 'wcag21a', 'wcag21aa', 'wcag22aa', 'best-practice']}), part);
  return violations.flatMap(({id, help, nodes}) => nodes.map(node => `${id}: ${help}: ${node.html.slice(0, 200)} ${node.failureSummary}`));
}
