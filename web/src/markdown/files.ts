// Code as a file: what it is called, and how a browser saves it.

// The endings of files, each with the other names that a fence gives its language. What is not here
// is text: a model does not choose endings.
const KNOWN = [
  'bat batch cmd',
  'c',
  'clj clojure',
  'cpp c++ cc',
  'cs c# csharp',
  'css',
  'csv',
  'dart',
  'diff patch',
  'erl erlang',
  'ex elixir',
  'go golang',
  'graphql',
  'h hpp',
  'hs haskell',
  'html',
  'ini conf',
  'java',
  'jl julia',
  'js javascript mjs',
  'json jsonc',
  'jsx',
  'kt kotlin',
  'less',
  'lua',
  'm matlab objective-c',
  'md markdown',
  'nix',
  'php',
  'pl perl',
  'proto',
  'ps1 powershell',
  'py python python3',
  'r',
  'rb ruby',
  'rs rust',
  'scala',
  'scss sass',
  'sh bash shell zsh',
  'sql',
  'svelte',
  'svg',
  'swift',
  'tex latex',
  'toml',
  'ts typescript',
  'tsx',
  'vb',
  'vue',
  'xml',
  'yaml yml',
  'zig',
];
const WHOLE = ['Dockerfile', 'Makefile'];

/** What code of a language is called as a file. */
export function fileName(language: string): string {
  const wanted = language.toLowerCase();
  const whole = WHOLE.find((name) => name.toLowerCase() === wanted);
  const names = KNOWN.map((line) => line.split(' ')).find((all) => all.includes(wanted));
  return whole ?? `code.${names?.[0] ?? 'txt'}`;
}

/** Saves a text as a file of that name. */
export function saveText(text: string, name: string): void {
  const address = URL.createObjectURL(new Blob([text], { type: 'text/plain;charset=utf-8' }));
  const link = document.createElement('a');
  link.href = address;
  link.download = name;
  link.click();
  setTimeout(() => URL.revokeObjectURL(address), 60_000); // some browsers read it after the click
}
