/**
 * Puts documents together into rows with as little room to spare as is easily had: the longest first, each into the
 * fullest row that still has room (best-fit decreasing, at most 22 % more rows than the fewest possible; Johnson,
 * "Near-Optimal Bin Packing Algorithms", 1973).
 *
 * @param lengths Length of each document, 1 … capacity.
 * @param capacity Length of a row.
 * @returns Numbers of the documents in each row.
 */
export function packDocuments(lengths: readonly number[], capacity: number): number[][] {
  const rows: number[][] = [];
  const withRoom: number[][] = Array.from({ length: capacity + 1 }, () => []); // rows by the room that is left
  const order = lengths.map((_, i) => i).sort((a, b) => lengths[b] - lengths[a] || a - b);
  for (const document of order) {
    const length = lengths[document];
    let room = length;
    while (room <= capacity && withRoom[room].length === 0) room++;
    let row: number;
    if (room > capacity) {
      room = capacity;
      row = rows.push([]) - 1;
    } else row = withRoom[room].pop()!;
    rows[row].push(document);
    withRoom[room - length].push(row);
  }
  return rows;
}
