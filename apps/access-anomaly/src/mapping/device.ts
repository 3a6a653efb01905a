/**
 * A coarse name for the device behind a user agent: browser and system, without versions, so that an update is no new
 * device. Bots and tools are named by their first product. Deterministic, and never longer than 64 characters.
 */

const browsers: readonly [RegExp, string][] = [
  [/\bEdg(?:e|A|iOS)?\//, 'Edge'],
  [/\bOPR\/|\bOpera[ /]/, 'Opera'],
  [/\bSamsungBrowser\//, 'Samsung Internet'],
  [/\b(?:Firefox|FxiOS)\//, 'Firefox'],
  [/\b(?:Chrome|CriOS|Chromium)\//, 'Chrome'],
  [/\bMSIE |\bTrident\//, 'Internet Explorer'],
  [/\bVersion\/.*\bSafari\//, 'Safari'],
];

const systems: readonly [RegExp, string][] = [
  [/\bWindows Phone\b/, 'Windows Phone'],
  [/\bWindows\b/, 'Windows'],
  [/\b(?:iPhone|iPad|iPod)\b/, 'iOS'],
  [/\bAndroid\b/, 'Android'],
  [/\bCrOS\b/, 'ChromeOS'],
  [/\bMac OS X\b|\bMacintosh\b/, 'macOS'],
  [/\bLinux\b|\bX11\b/, 'Linux'],
];

// CUBOT makes phones.
const robot = /(?<![\w.-])(?!cubot)([\w.-]*(?:bot|crawl|spider|slurp)[\w.-]*)/i;

function firstMatch(table: readonly [RegExp, string][], text: string): string | null {
  for (const [pattern, name] of table) if (pattern.test(text)) return name;
  return null;
}

export function deviceName(userAgent: string): string {
  // A megabyte of user agent says no more than its beginning.
  const text = userAgent.slice(0, 512);
  const bot = robot.exec(text);
  if (bot !== null) return `bot ${bot[1]!.slice(0, 60)}`;
  const browser = firstMatch(browsers, text);
  const system = firstMatch(systems, text);
  if (browser !== null) return `${browser}/${system ?? 'unknown'}`;
  const product = /^[\w .+-]{1,40}/.exec(text)?.[0].trim() ?? '';
  const name = product === '' || product.startsWith('Mozilla') ? 'unknown' : product;
  return system === null ? name : `${name}/${system}`;
}

/** Remembers names by user agent text: the same few come again and again. Bounded; forgets all when full. */
export class DeviceNames {
  readonly #names = new Map<string, string>();
  readonly #namesMax: number;

  constructor(namesMax = 4096) {
    this.#namesMax = namesMax;
  }

  nameOf(userAgent: string): string {
    if (userAgent.length > 1024) return deviceName(userAgent);
    let name = this.#names.get(userAgent);
    if (name === undefined) {
      if (this.#names.size >= this.#namesMax) this.#names.clear();
      name = deviceName(userAgent);
      this.#names.set(userAgent, name);
    }
    return name;
  }
}
