import { distanceKm } from '../decide/geodesy.ts';
import { cities, userAgents } from './cities.ts';
import { LineWriter, lineBytesMax } from './line-writer.ts';
import { GeneratorRandom } from './random.ts';
import { WeightedPick } from './weighted-pick.ts';

export interface GeneratorOptions {
  readonly seed: number;
  /** How many different users there are to choose from. */
  readonly users: number;
  /** End after so many; without it the log never ends. */
  readonly records?: number;
  /** Time of the first record. */
  readonly startUnixMs: number;
  /** Impossible travels to plant: in all, or, in a log without end, per 100,000 records. */
  readonly anomalies: number;
  /** Mean time between records. */
  readonly stepMs?: number;
}

/** A planted anomaly: record `index` (from 0) is a success of the user from where she can't be. */
export interface AnomalyLabel {
  readonly index: number;
  readonly user: string;
  readonly timeUnixMs: number;
  readonly city: string;
  readonly kind: 'travel';
}

const failureRatio = 0.22;
const travelRatio = 0.024;
/** Below any airliner's, so that honest travel is never impossible. */
const travelSpeedKmh = 500;
/** Before an anomaly can be told, its victim needs a history. */
const victimSuccessesMin = 12;
const plantedDistanceMinKm = 5000;
const hourMs = 3_600_000;

/**
 * A plausible access log of many users: few are busy and most are not, each has a home, devices and networks, travels
 * now and then at the speed of trains and planes, and mistypes passwords. The same options give the same bytes.
 *
 * User weights: events a year are log-normal with μ 0.351, σ 1.345 (Wiefling et al., login data of 3.3 M users).
 */
export class LogGenerator {
  /** Where the anomalies are, in order of appearance; grows with the log. */
  readonly labels: AnomalyLabel[] = [];
  /** Records written so far. */
  count = 0;

  readonly #options: GeneratorOptions;
  readonly #random: GeneratorRandom;
  readonly #writer = new LineWriter();
  readonly #pickUser: WeightedPick;
  readonly #home: Uint8Array;
  readonly #away: Uint8Array;
  readonly #agent: Uint8Array;
  readonly #successes: Uint32Array;
  readonly #lastUnixMs: Float64Array;
  readonly #distances: Float64Array;
  /** Cities besides home, of the users who have any. */
  readonly #visited = new Map<number, Set<number>>();
  /** The latest planted login of each victim. */
  readonly #planted = new Map<number, { city: number; unixMs: number }>();
  readonly #line = new Uint8Array(lineBytesMax);
  readonly #recordsMax: number;
  readonly #plantEvery: number;
  #nextPlant: number;
  #unixMs: number;
  #restMs = 0;
  #user = 0;

  constructor(options: GeneratorOptions) {
    const { users, records, anomalies } = options;
    if (!(users >= 1 && users <= 10_000_000)) throw new RangeError(`users: ${users}, expected 1 to 10,000,000`);
    this.#options = options;
    this.#random = new GeneratorRandom(options.seed);
    this.#recordsMax = records ?? Infinity;
    // In a log that ends, the first quarter is for learning.
    const span = records === undefined ? 100_000 : records * 0.75;
    this.#plantEvery = anomalies > 0 ? span / anomalies : Infinity;
    this.#nextPlant = records === undefined ? 25_000 : records * 0.25;
    this.#unixMs = options.startUnixMs;
    this.#pickUser = new WeightedPick(
      Float64Array.from({ length: users }, () => Math.ceil(Math.exp(0.351 + 1.345 * this.#random.normal()))),
    );
    const pickCity = new WeightedPick(cities.map((city) => city[4]));
    this.#home = Uint8Array.from({ length: users }, () => pickCity.pick(this.#random.ratio()));
    this.#away = this.#home.slice();
    this.#agent = Uint8Array.from({ length: users }, () => this.#random.below(userAgents.length));
    this.#successes = new Uint32Array(users);
    this.#lastUnixMs = new Float64Array(users).fill(-Infinity);
    this.#distances = new Float64Array(cities.length ** 2);
    cities.forEach(([, , lat, lon], i) => {
      cities.forEach((to, j) => {
        this.#distances[i * cities.length + j] = distanceKm(lat, lon, to[2], to[3]);
      });
    });
  }

  /** Number of the user of the latest record. */
  get user(): number {
    return this.#user;
  }

  static userName(user: number): string {
    return `user-${String(user).padStart(6, '0')}`;
  }

  /**
   * Writes the next record into a buffer, without line end.
   * @param out has `lineBytesMax` bytes from `at` on
   * @returns where it ends; -1 after the last record
   */
  writeNext(out: Uint8Array, at: number): number {
    if (this.count >= this.#recordsMax) return -1;
    const random = this.#random;
    this.#unixMs += this.#step(random.ratio());
    const user = this.#pickUser.pick(random.ratio());
    this.#user = user;
    if (this.count >= this.#nextPlant && this.#successes[user]! >= victimSuccessesMin) {
      const planted = this.#plant(user, out, at);
      if (planted >= 0) return planted;
    }
    const success = random.ratio() >= failureRatio;
    if (success) this.#travel(user);
    const city = this.#away[user]!;
    // Two networks at home, one elsewhere; the second device is used now and then.
    const network = user * 3 + (city === this.#home[user] ? (random.ratio() < 0.8 ? 0 : 1) : 2 + city * 7);
    const device =
      random.ratio() < 0.9 ? this.#agent[user]! : (this.#agent[user]! + 1 + (user % 3)) % userAgents.length;
    if (success) {
      this.#successes[user]!++;
      this.#lastUnixMs[user] = this.#unixMs;
    }
    this.count++;
    return this.#writer.write(out, at, user, this.#unixMs, success, network & 0x7fff, 1 + (user % 250), city, device);
  }

  /**
   * Whole milliseconds to the next record. Of a step below one, what rounding takes away is kept: else a busy log would
   * stand still in time.
   */
  #step(ratio: number): number {
    const meanMs = this.#options.stepMs ?? 1000;
    const exactMs = ratio * 2 * meanMs + this.#restMs;
    const stepMs = Math.floor(exactMs + 0.5);
    if (meanMs < 1) this.#restMs = exactMs - stepMs;
    return stepMs;
  }

  /** Sometimes the user goes elsewhere or home, if there was time enough for the way. */
  #travel(user: number): void {
    const roll = this.#random.ratio();
    const isHome = this.#away[user] === this.#home[user];
    if (roll >= (isHome ? travelRatio : 0.3)) return;
    const to = isHome ? this.#random.below(cities.length) : this.#home[user]!;
    const hours = (this.#unixMs - this.#lastUnixMs[user]!) / hourMs;
    if (this.#distance(this.#away[user]!, to) > hours * travelSpeedKmh) return;
    // The honest user must not look impossible from where the planted one was.
    const planted = this.#planted.get(user);
    if (planted !== undefined) {
      const since = (this.#unixMs - planted.unixMs) / hourMs;
      if (this.#distance(planted.city, to) > since * travelSpeedKmh) return;
    }
    this.#away[user] = to;
    this.#visit(user, to);
  }

  #visit(user: number, city: number): void {
    const visited = this.#visited.get(user);
    if (visited === undefined) this.#visited.set(user, new Set([city]));
    else visited.add(city);
  }

  #distance(from: number, to: number): number {
    return this.#distances[from * cities.length + to]!;
  }

  /** A success from a far city, too soon after the user's latest; -1 when this user is no good victim now. */
  #plant(user: number, out: Uint8Array, at: number): number {
    const here = this.#away[user]!;
    const hours = (this.#unixMs - this.#lastUnixMs[user]!) / hourMs;
    // One at a time: the user must have been seen in her own place since.
    if ((this.#planted.get(user)?.unixMs ?? -Infinity) >= this.#lastUnixMs[user]!) return -1;
    const first = this.#random.below(cities.length);
    for (let i = 0; i < cities.length; i++) {
      const city = (first + i) % cities.length;
      const km = this.#distance(here, city);
      // Twice the speed that is impossible, so that no rounding decides; never a place where the user belongs.
      if (km < plantedDistanceMinKm || km < hours * 1600 || city === this.#home[user]) continue;
      if (this.#visited.get(user)?.has(city)) continue;
      this.#planted.set(user, { city, unixMs: this.#unixMs });
      this.#visit(user, city);
      this.#nextPlant += this.#plantEvery;
      this.labels.push({
        index: this.count,
        user: LogGenerator.userName(user),
        timeUnixMs: this.#unixMs,
        city: cities[city]![0],
        kind: 'travel',
      });
      this.count++;
      const network = 0x8000 | this.#random.below(0x8000);
      const agent = this.#random.below(userAgents.length);
      return this.#writer.write(out, at, user, this.#unixMs, true, network, this.#random.below(250) + 1, city, agent);
    }
    return -1;
  }

  /** The next record as bytes of its own; null after the last. */
  next(): { line: Uint8Array; user: string } | null {
    const end = this.writeNext(this.#line, 0);
    return end < 0 ? null : { line: this.#line.slice(0, end), user: LogGenerator.userName(this.#user) };
  }

  /**
   * Fills a buffer with lines, each ended by a line feed.
   * @returns bytes written; 0 after the last record
   */
  fill(out: Uint8Array, recordsMax = Infinity): number {
    let at = 0;
    for (let n = 0; n < recordsMax && at + lineBytesMax < out.length; n++) {
      const end = this.writeNext(out, at);
      if (end < 0) break;
      out[end] = 0x0a;
      at = end + 1;
    }
    return at;
  }
}
