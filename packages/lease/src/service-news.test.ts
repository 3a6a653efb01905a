import assert from 'node:assert/strict';
import { suite, test } from 'node:test';
import { type SessionId, sessionId } from '@holdfast/model';
import { defaultLeaseOptions } from './options.ts';
import { type OtherSession, ServiceNews, type ServicesSay, serviceBreakMs } from './service-news.ts';

const { serviceAwayMs } = defaultLeaseOptions;
const [a, b, c] = [sessionId(1), sessionId(2), sessionId(3)];
const steady = { silentMs: 100, steadyMs: serviceAwayMs };
const gone = { silentMs: serviceAwayMs, steadyMs: 0 };
const well: ServicesSay = { log: steady, store: steady };
const noStore: ServicesSay = { log: steady, store: gone };
const noLog: ServicesSay = { log: gone, store: steady };

function told(...by: readonly (readonly [SessionId, ServicesSay | undefined])[]): ServiceNews {
  const news = new ServiceNews(defaultLeaseOptions);
  for (const [session, says] of by) news.note(session, says);
  return news;
}

const among =
  (...sessions: SessionId[]) =>
  (): OtherSession[] =>
    sessions.map((session) => ({ session, mayReceive: true }));

suite('which services answer which nodes', () => {
  test('a node that lacks what the others have is found, once it has lacked it for its time', () => {
    const news = told([a, well], [b, well]);
    assert.equal(news.lacking(noStore, among(a, b)), 'store');
    assert.equal(news.lacking(noLog, among(a, b)), 'log');
    const soon = { log: steady, store: { silentMs: serviceAwayMs - 1, steadyMs: 0 } };
    assert.equal(news.lacking(soon, among(a, b)), null);
    assert.equal(news.lacking(well, among(a, b)), null);
  });

  test('in an outage nobody is: the others lack it too, or say nothing of it, or there is nobody', () => {
    const all = told([a, noStore], [b, noStore]);
    assert.equal(all.lacking(noStore, among(a, b)), null);
    assert.equal(told([a, undefined], [b, undefined]).lacking(noStore, among(a, b)), null);
    assert.equal(told([a, well]).lacking(noStore, among()), null);
  });

  test('who lacks another service could not take over: two that lack one each keep what they have', () => {
    assert.equal(told([a, noStore]).lacking(noLog, among(a)), null);
    assert.equal(told([a, noStore], [b, noStore]).lacking(noLog, among(a, b)), null);
  });

  test('after an outage the last one has as long to find its way back as it may lack it', () => {
    const back = (steadyMs: number): ServicesSay => ({ log: steady, store: { silentMs: 0, steadyMs } });
    const lackedAt = (steadyMs: number) => told([a, back(steadyMs)]).lacking(noStore, among(a));
    assert.equal(lackedAt(serviceAwayMs - 1), null);
    assert.equal(lackedAt(serviceAwayMs), 'store');
    const away = { log: steady, store: { silentMs: serviceBreakMs, steadyMs: serviceAwayMs } };
    assert.equal(told([a, away]).lacking(noStore, among(a)), null);
  });

  test('more than half of the others have to have it all, and could take over', () => {
    const news = told([a, well], [b, noStore], [c, well]);
    assert.equal(news.lacking(noStore, among(a, b)), null);
    assert.equal(news.lacking(noStore, among(a, b, c)), 'store');
    const draining = (): OtherSession[] => [{ session: a, mayReceive: false }, ...among(c)()];
    assert.equal(news.lacking(noStore, draining), null);
    news.keep(new Set([b, c]));
    assert.equal(news.lacking(noStore, among(a, c)), null);
  });

  test('who asks for a session waits until a new leader has heard the others', () => {
    const news = told([a, noStore]);
    assert.equal(news.lackingPerhaps(noStore, among(a, b)), 'store');
    assert.equal(news.lackingPerhaps(well, among(a, b)), null);
    news.note(b, undefined);
    assert.equal(news.lackingPerhaps(noStore, among(a, b)), null);
  });
});
