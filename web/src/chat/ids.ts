// Ids that the browser makes. Not randomUUID: on plain HTTP (a LAN by name) it does not exist.

const BYTES = 16;

/** Returns an id that no other question has: 32 hexadecimal digits. */
export function newClientId(source: Pick<Crypto, 'getRandomValues'> = crypto): string {
  const bytes = source.getRandomValues(new Uint8Array(BYTES));
  return Array.from(bytes, (byte) => byte.toString(16).padStart(2, '0')).join('');
}
