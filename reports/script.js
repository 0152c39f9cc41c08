// Adds one thing to a page that is complete without it: a click on a column's head sorts its table.
document.querySelectorAll('table.full').forEach((table) => {
  const body = table.tBodies[0];
  if (!body || body.rows.length < 2) return;
  table.querySelectorAll('thead th').forEach((head, column) => {
    const button = document.createElement('button');
    button.type = 'button';
    button.append(...head.childNodes);
    head.append(button);
    button.addEventListener('click', () => {
      const ascending = head.getAttribute('aria-sort') !== 'ascending';
      const key = (row) => {
        const cell = row.cells[column];
        return 'v' in cell.dataset ? Number(cell.dataset.v) : cell.textContent;
      };
      const order = (left, right) => {
        if (typeof left === 'number' && typeof right === 'number') return left - right;
        // Cells without a figure come last when rising.
        if (typeof left !== typeof right) return typeof left === 'number' ? -1 : 1;
        return left.localeCompare(right);
      };
      const rows = [...body.rows].sort((a, b) => order(key(a), key(b)));
      if (!ascending) rows.reverse();
      body.append(...rows);
      table.querySelectorAll('th[aria-sort]').forEach((other) => other.removeAttribute('aria-sort'));
      head.setAttribute('aria-sort', ascending ? 'ascending' : 'descending');
    });
  });
});
