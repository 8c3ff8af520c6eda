// Calls of the server, and values in the forms that people read.

export async function call(method, path, body) {
  const response = await fetch(path, {
    method, headers: body ? {'Content-Type': 'application/json'} : {}, body: body && JSON.stringify(body), redirect: 'error',
  });
  const answer = await response.json();
  if (!response.ok) throw new Error(answer.error?.message ?? `the server answered ${response.status}`);
  return answer;
}

export const short = name => name.slice(name.lastIndexOf('/') + 1);
export const project = name => name.split('/')[1] ?? '';

export const encode = text => {
  let bytes = '';
  for (const byte of new TextEncoder().encode(text)) bytes += String.fromCharCode(byte);
  return btoa(bytes);
};
export const decode = data => new TextDecoder().decode(Uint8Array.from(atob(data ?? ''), c => c.charCodeAt(0)));

const numbers = new Intl.NumberFormat(undefined, {maximumFractionDigits: 0});
export const number = value => numbers.format(value);
export const rate = value => value === null ? '–' : value > 0 && value < 10 ? value.toFixed(1) : number(value);

export function size(bytes) {
  return bytes < 1000 ? `${bytes} B` : bytes < 1e6 ? `${(bytes / 1e3).toFixed(1)} kB` : `${(bytes / 1e6).toFixed(1)} MB`;
}

export function age(time) {
  if (!time) return '';
  const seconds = Math.max(0, (Date.now() - Date.parse(time)) / 1000);
  if (seconds < 90) return `${Math.round(seconds)} s`;
  if (seconds < 5400) return `${Math.round(seconds / 60)} min`;
  return seconds < 36 * 3600 ? `${Math.round(seconds / 3600)} h` : `${Math.round(seconds / 86400)} d`;
}

/// 14:03:59.120, of today or not: what is shown is recent.
export function clock(time) {
  const date = new Date(time);
  const two = value => String(value).padStart(2, '0');
  return `${two(date.getHours())}:${two(date.getMinutes())}:${two(date.getSeconds())}.${String(date.getMilliseconds()).padStart(3, '0')}`;
}

/// An element. Content is text, never markup: what it shows was written by others.
export function make(tag, {text, ...properties} = {}, ...children) {
  const made = Object.assign(document.createElement(tag), properties);
  if (text !== undefined) made.textContent = text;
  made.append(...children);
  return made;
}

/// Changes text only where it differs, so that a selection and a screen reader stay where they are.
export function set(element, text, kind = {}) {
  const wanted = String(text);
  if (element.textContent !== wanted) element.textContent = wanted;
  for (const [name, on] of Object.entries(kind)) element.classList.toggle(name, Boolean(on));
}

export const element = id => document.getElementById(id);
