// What people look for among the zones, and what a browser's name says of its device.
import { expect, test } from 'vitest';
import { deviceOf } from './devices';
import { labelOf, search, zonesAt } from './zones';

const WINTER = new Date('2026-01-15T12:00:00Z');
const SUMMER = new Date('2026-07-15T12:00:00Z');

test('a zone is labelled with its city and the offset that holds at the moment', () => {
  expect(labelOf('Europe/Paris', WINTER, 'fr')).toMatch(/^Paris · UTC\+1 · /);
  expect(labelOf('Europe/Paris', SUMMER, 'fr')).toMatch(/^Paris · UTC\+2 · /);
  expect(labelOf('America/Argentina/Buenos_Aires', WINTER, 'en')).toMatch(
    /^Buenos Aires, Argentina · UTC-3 · /,
  );
  expect(labelOf('UTC', WINTER, 'en')).toMatch(/^UTC · UTC\+0 · /);
});

test.each([
  ['réunion', 'Indian/Reunion'],
  ['REUN', 'Indian/Reunion'],
  ['new york', 'America/New_York'],
  ['utc+4 indian', 'Indian/Reunion'],
  ['europe/paris', 'Europe/Paris'],
])('%j finds %s', (text, name) => {
  const found = search(zonesAt(WINTER, 'fr'), text).map((zone) => zone.name);

  expect(found).toContain(name);
  expect(found.length).toBeLessThan(30);
});

test('every zone is in the list once, and nothing typed shows them all', () => {
  const zones = zonesAt(WINTER, 'en');

  expect(new Set(zones.map(({ name }) => name)).size).toBe(zones.length);
  expect(zones.length).toBeGreaterThan(300);
  expect(search(zones, ' ')).toEqual(zones);
  expect(search(zones, 'zzz')).toEqual([]);
});

test.each([
  [
    'Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/130.0.0.0 Safari/537.36 Edg/130.0.0.0',
    'Edge on Windows',
  ],
  ['Mozilla/5.0 (X11; Linux x86_64; rv:128.0) Gecko/20100101 Firefox/128.0', 'Firefox on Linux'],
  [
    'Mozilla/5.0 (iPhone; CPU iPhone OS 17_5 like Mac OS X) AppleWebKit/605.1.15 (KHTML, like Gecko) Version/17.5 Mobile/15E148 Safari/604.1',
    'Safari on iPhone',
  ],
  [
    'Mozilla/5.0 (Linux; Android 14; Pixel 8) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/126.0.0.0 Mobile Safari/537.36',
    'Chrome on Android',
  ],
  [
    'Mozilla/5.0 (Macintosh; Intel Mac OS X 10_15_7) AppleWebKit/605.1.15 (KHTML, like Gecko) Version/17.4 Safari/605.1.15',
    'Safari on Mac',
  ],
  ['Python/3.11 aiohttp/3.12', 'Unknown browser'],
  ['', 'Unknown browser'],
  ['<b>Firefox/1</b> on Windows', 'Firefox on Windows'],
])('%s is %s', (agent, device) => {
  expect(deviceOf(agent)).toBe(device);
});
