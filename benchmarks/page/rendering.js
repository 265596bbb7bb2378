// The page of benchmarks/rendering.py: feeds an answer to the built renderer, watches the page meanwhile.
const LABELS = { copy: 'Copy', copied: 'Copied', copyFailed: 'No', save: 'Save', wrap: 'Wrap' };
const LONGEST_MS = 20; // from one look at the clock to the next, while tokens are due

/** Counts frames and long tasks from now on. */
function watch() {
  const began = performance.now();
  let [frames, longestFrame, last] = [0, 0, began];
  const tasks = [];
  let isOn = true;
  const observer = new PerformanceObserver((list) => {
    tasks.push(...list.getEntries().map((each) => each.duration));
  });
  observer.observe({ type: 'longtask' });
  const frame = (now) => {
    if (!isOn) return;
    frames += 1;
    longestFrame = Math.max(longestFrame, now - last);
    last = now;
    requestAnimationFrame(frame);
  };
  requestAnimationFrame(frame);
  return async () => {
    const seconds = (performance.now() - began) / 1000;
    isOn = false;
    await new Promise((resolve) => setTimeout(resolve, 100)); // long tasks are told late
    observer.disconnect();
    return {
      seconds,
      frames_s: frames / seconds,
      longest_frame_ms: longestFrame,
      long_tasks: tasks.length,
      longest_task_ms: Math.max(0, ...tasks),
    };
  };
}

const painted = () =>
  new Promise((resolve) => requestAnimationFrame(() => setTimeout(resolve)));

function emptyHost() {
  const host = document.createElement('div');
  document.querySelector('#content').replaceChildren(host);
  return host;
}

/** Streams `tokens` at `rate` a second; tells what came of it, at the latest after `limit` seconds. */
window.stream = async ({ module, way, tokens, rate, limit }) => {
  const { MarkdownView, renderOnce } = await import(module);
  const list = document.querySelector('#list');
  const follow = () => (list.scrollTop = list.scrollHeight);
  // What is fetched once, highlighter and KaTeX, is there already.
  renderOnce(emptyHost(), tokens.slice(0, 300).join(''), { labels: LABELS });
  await new Promise((resolve) => setTimeout(resolve, 500));

  const host = emptyHost();
  const view = way === 'tail only' ? new MarkdownView(host, { labels: LABELS, onflush: follow }) : null;
  const stop = watch();
  const began = performance.now();
  let [given, text] = [0, ''];
  const isOver = () => performance.now() - began > limit * 1000;
  while (given < tokens.length && !isOver()) {
    const due = Math.min(tokens.length, ((performance.now() - began) * rate) / 1000);
    const turn = performance.now();
    while (given < due && performance.now() - turn < LONGEST_MS) {
      text += tokens[given];
      given += 1;
      if (view !== null) view.update(text);
      else {
        renderOnce(host, text, { labels: LABELS });
        follow();
      }
    }
    await new Promise((resolve) => setTimeout(resolve, 1));
  }
  const lag = performance.now() - began - (given * 1000) / rate;
  view?.finish(text);
  await painted();
  return { ...(await stop()), drawn: given, late_ms: lag };
};

/** Draws messages at once, from their text to the paint. */
window.draw = async ({ module, texts }) => {
  const { renderOnce } = await import(module);
  const content = document.querySelector('#content');
  content.replaceChildren();
  await painted();
  const began = performance.now();
  for (const text of texts) {
    const host = document.createElement('div');
    content.append(host);
    renderOnce(host, text, { labels: LABELS });
  }
  await painted();
  return performance.now() - began;
};
window.isReady = true;
