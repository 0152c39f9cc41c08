// Runs inside a copy of the page, before anything else in it, and writes what it finds into the document,
// one line for each fault: `fault: …`; facts that a test asks for as `fact: …`.
(() => {
  const lines = [];
  const fault = (text) => lines.push('fault: ' + text);
  const name = (node) => node.tagName.toLowerCase() + (node.id ? '#' + node.id : '')
    + [...node.classList].map((part) => '.' + part).join('') + ' "' + node.textContent.trim().slice(0, 40) + '"';
  addEventListener('error', (event) => fault('error: ' + (event.message || 'a resource was not loaded')), true);
  addEventListener('unhandledrejection', (event) => fault('rejection: ' + event.reason));
  document.addEventListener('securitypolicyviolation', (event) => fault('refused by policy: ' + event.blockedURI));

  const network = () => performance.getEntriesByType('resource')
    .filter((entry) => !entry.name.startsWith('data:'))
    .forEach((entry) => fault('request: ' + entry.name));

  const scrolls = (node) => ['auto', 'scroll'].includes(getComputedStyle(node).overflowX);
  const overflow = () => {
    if (document.documentElement.scrollWidth > innerWidth) {
      fault('the page is ' + document.documentElement.scrollWidth + ' wide on ' + innerWidth);
    }
    for (const node of document.body.querySelectorAll('*')) {
      if (node.closest('svg') || node.closest('.sr') || scrolls(node)) continue;
      if (node.clientWidth > 0 && node.scrollWidth > node.clientWidth + 1) fault('overflows: ' + name(node));
      const box = node.parentElement.closest('.scroll, pre') ? null : node.getBoundingClientRect();
      if (box && box.width > 0 && box.right > innerWidth + 1) fault('reaches beyond the page: ' + name(node));
    }
  };

  const labels = () => document.querySelectorAll('svg[viewBox]').forEach((drawing) => {
    const view = drawing.viewBox.baseVal;
    const boxes = [...drawing.querySelectorAll('text')].map((node) => [node, node.getBBox()]);
    boxes.forEach(([node, box], index) => {
      if (box.x < view.x - 1 || box.x + box.width > view.x + view.width + 1
        || box.y + box.height > view.y + view.height + 2) fault('label cut off: ' + name(node));
      boxes.slice(index + 1).forEach(([other, next]) => {
        const apart = box.x + box.width <= next.x || next.x + next.width <= box.x
          || box.y + box.height <= next.y + 2 || next.y + next.height <= box.y + 2;
        if (!apart) fault('labels overlap: ' + name(node) + ' and ' + name(other));
      });
    });
  });

  const channels = (colour) => (colour.match(/[\d.]+/g) || []).map(Number);
  const luminance = (rgb) => rgb.slice(0, 3).map((value) => value / 255)
    .map((value) => (value <= 0.03928 ? value / 12.92 : ((value + 0.055) / 1.055) ** 2.4))
    .reduce((sum, value, index) => sum + value * [0.2126, 0.7152, 0.0722][index], 0);
  const behind = (node) => {
    for (let at = node; at; at = at.parentElement) {
      const colour = channels(getComputedStyle(at).backgroundColor);
      if (colour.length === 3 || colour[3] === 1) return colour;
    }
    return [255, 255, 255];
  };
  const contrast = () => {
    const seen = new Set();
    for (const node of document.body.querySelectorAll('*')) {
      const own = [...node.childNodes].some((child) => child.nodeType === 3 && child.data.trim());
      if (!own || node.closest('.sr, script, style, title, desc') || !node.getClientRects().length) continue;
      const style = getComputedStyle(node);
      const colour = channels(node instanceof SVGElement ? style.fill : style.color);
      const pair = [luminance(colour), luminance(behind(node))].sort((a, b) => b - a);
      const ratio = (pair[0] + 0.05) / (pair[1] + 0.05);
      const key = colour + '/' + behind(node);
      if (ratio < 4.5 && !seen.has(key)) fault('contrast ' + ratio.toFixed(2) + ': ' + name(node));
      seen.add(key);
    }
  };

  const facts = () => {
    lines.push('fact: width ' + innerWidth);
    lines.push('fact: background ' + getComputedStyle(document.body).backgroundColor);
    const cut = [...document.querySelectorAll('.scroll')].filter((node) => node.scrollWidth > node.clientWidth + 1);
    lines.push('fact: scrolling ' + cut.length);
    const head = document.querySelector('table.full thead button');
    if (head) {
      head.click();
      lines.push('fact: sorted ' + head.closest('th').getAttribute('aria-sort'));
    }
    const box = document.querySelector('.legend input');
    if (box) {
      box.click();
      const series = box.closest('.scenario').querySelector('.series.s' + box.className.slice(1));
      lines.push('fact: series ' + getComputedStyle(series).display);
    }
  };

  addEventListener('load', () => {
    document.querySelectorAll('details').forEach((node) => { node.open = true; });
    [overflow, labels, contrast, facts, network].forEach((check) => check());
    // The page stands in a frame of the width under test; what was found is left where it stood.
    const outside = parent.document;
    const out = outside.createElement('pre');
    out.id = 'ringside-probe';
    out.textContent = lines.join('\n');
    outside.body.replaceChildren(out);
  });
})();
