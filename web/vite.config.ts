// How the browser's code is built: entries, their manifest, and compressed copies beside each file.
import { readdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { brotliCompress, constants, gzip } from 'node:zlib';
import { svelte } from '@sveltejs/vite-plugin-svelte';
import tailwindcss from '@tailwindcss/vite';
import { svelteTesting } from '@testing-library/svelte/vite';
import type { Plugin } from 'vite';
import { defineConfig } from 'vitest/config';

const COMPRESSIBLE = /\.(?:js|css|svg|json)$/;
const SMALLEST_BYTES = 512; // below this the headers cost more than what is saved

/** Puts a .br and a .gz beside each built file: aiohttp serves them by itself. */
function precompress(): Plugin {
  let directory = '';
  return {
    name: 'precompress',
    apply: 'build',
    configResolved(config) {
      directory = join(config.root, config.build.outDir);
    },
    async closeBundle() {
      const names = await readdir(directory, { recursive: true });
      for (const name of names.filter((each) => COMPRESSIBLE.test(each))) {
        if (names.includes(`${name}.br`)) continue; // by the build before
        const path = join(directory, name);
        const content = await readFile(path);
        if (content.length < SMALLEST_BYTES) continue;
        const quality = { params: { [constants.BROTLI_PARAM_QUALITY]: 11 } };
        await writeFile(`${path}.br`, await promisify(brotliCompress)(content, quality));
        await writeFile(`${path}.gz`, await promisify(gzip)(content, { level: 9 }));
      }
    },
  };
}

/** Leaves KaTeX's fonts in the one form that all our browsers read, of three. */
function woff2Only(): Plugin {
  return {
    name: 'woff2-only',
    enforce: 'pre',
    transform(code, id) {
      if (!/katex[^/]*\.css$/.test(id)) return undefined;
      const others = /,\s*url\([^)]*\.(?:woff|ttf)\)\s*format\(["'][a-z]+["']\)/g;
      return { code: code.replace(others, ''), map: null };
    },
  };
}

const NOT_SHARED =
  /^(?!.*(?:\/src\/(?:theme\.ts|markdown\/|chat\/(?:Dialog|PopMenu|Toast)\.svelte)|\/bindings\/select\.js))/;

// The pages beside the chat are a build of their own: with one build, what they and the chat use
// becomes a chunk that has all that any needs of it, and the chat's first load would grow with them.
const BUILDS = {
  production: {
    manifest: 'manifest.json', // the default .vite/ folder is one that package globs skip
    input: { base: 'src/entries/base.ts', chat: 'src/entries/chat.ts' },
    // What the chat has in common with its later parts in one request, without what only those
    // have in common; the theme is every page's.
    output: { codeSplitting: { groups: [{ name: 'shared', test: NOT_SHARED, minShareCount: 2 }] } },
  },
  admin: {
    manifest: 'manifest.admin.json',
    input: {
      admin: 'src/entries/admin.ts',
      profile: 'src/entries/profile.ts',
      document: 'src/entries/document.ts',
    },
    output: {},
  },
};

export default defineConfig(({ mode }) => {
  const { manifest, ...options } = mode === 'admin' ? BUILDS.admin : BUILDS.production;
  return {
    base: '/static/app/',
    plugins: [tailwindcss(), svelte(), svelteTesting(), woff2Only(), precompress()],
    build: {
      outDir: 'dist',
      emptyOutDir: mode !== 'admin', // it comes second
      target: 'es2022',
      manifest,
      assetsInlineLimit: 0, // no data: address, so that the CSP need not allow it
      modulePreload: { polyfill: false },
      rolldownOptions: options,
    },
    test: {
      environment: 'jsdom',
      include: ['src/**/*.test.ts'],
      testTimeout: 60_000, // no test is about how fast work runs, and a machine may be busy
    },
  };
});
