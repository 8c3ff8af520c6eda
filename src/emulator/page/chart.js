// A minute of a rate, drawn small.

const svg = 'http://www.w3.org/2000/svg';
const seconds = 60;

/// What a counter grew by, second by second.
export class Rate {
  samples = [];
  #count = null;
  #time = 0;

  add(count, time) {
    if (this.#count !== null && time > this.#time)
      this.samples.push({time, value: Math.max(0, count - this.#count) / ((time - this.#time) / 1000)});
    this.#count = count;
    this.#time = time;
    while (this.samples.length && this.samples[0].time < time - seconds * 1000) this.samples.shift();
  }

  get latest() {
    return this.samples.at(-1)?.value ?? null;
  }
}

/// The drawing is for the eye; its figure stands beside it.
export class Chart {
  constructor() {
    this.element = document.createElementNS(svg, 'svg');
    this.element.setAttribute('class', 'chart');
    this.element.setAttribute('viewBox', '0 0 60 20');
    this.element.setAttribute('preserveAspectRatio', 'none');
    this.element.setAttribute('aria-hidden', 'true');
    [this.area, this.line] = ['area', 'line'].map(kind => {
      const path = document.createElementNS(svg, 'path');
      path.setAttribute('class', kind);
      this.element.append(path);
      return path;
    });
  }

  draw({samples}) {
    const top = Math.max(1, ...samples.map(sample => sample.value));
    const end = samples.at(-1)?.time ?? 0;
    const points = samples.map(({time, value}) => {
      const x = seconds - (end - time) / 1000, y = 19 - 18 * value / top;
      return `${x.toFixed(2)} ${y.toFixed(2)}`;
    });
    const line = points.length ? 'M' + points.join('L') : '';
    this.line.setAttribute('d', line);
    this.area.setAttribute('d', line && `${line}L60 20L${points[0].split(' ')[0]} 20Z`);
  }
}
