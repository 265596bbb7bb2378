// Pictures as models take them: of a kind that every engine reads, and no larger than they look at.
const SIDE_MAX = 2048;
const BYTES_MAX = 4 * 1024 * 1024;
const TAKEN = new Set(['image/png', 'image/jpeg', 'image/webp']);
const QUALITY = 0.9;

/** Returns the picture made smaller, or of another kind, where it must be; else the file as it is. */
export async function prepared(file: File): Promise<File> {
  if (!file.type.startsWith('image/') || file.type === 'image/svg+xml') return file;
  const bitmap = await createImageBitmap(file).catch(() => null);
  if (bitmap === null) return file; // the server says what is wrong with it
  const share = Math.min(1, SIDE_MAX / Math.max(bitmap.width, bitmap.height));
  if (TAKEN.has(file.type) && share === 1 && file.size <= BYTES_MAX) return file;
  const canvas = document.createElement('canvas');
  canvas.width = Math.max(1, Math.round(bitmap.width * share));
  canvas.height = Math.max(1, Math.round(bitmap.height * share));
  canvas.getContext('2d')?.drawImage(bitmap, 0, 0, canvas.width, canvas.height);
  const blob = await new Promise<Blob | null>((resolve) =>
    canvas.toBlob(resolve, 'image/jpeg', QUALITY),
  );
  if (blob === null) return file;
  const stem = file.name.replace(/\.[^.]+$/, '');
  return new File([blob], `${stem}.jpg`, { type: 'image/jpeg' });
}
