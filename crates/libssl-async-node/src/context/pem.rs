//! Where the blocks of a PEM file begin and end.

const BEGIN: &[u8] = b"-----BEGIN ";
const END: &[u8] = b"-----END ";
const DASHES: &[u8] = b"-----";

/// A block, with its lines of `BEGIN` and `END`.
pub(super) struct Block<'a> {
    /// `CERTIFICATE`, for instance.
    pub(super) label: String,
    pub(super) bytes: &'a [u8],
}

/// The blocks of `data`; none if it is no PEM. A block that does not end reaches to the next, or to the end of the data.
pub(super) fn blocks(data: &[u8]) -> Vec<Block<'_>> {
    let mut blocks = Vec::new();
    let mut rest = data;
    while let Some(begin) = find(rest, BEGIN) {
        rest = &rest[begin..];
        let next = find(&rest[BEGIN.len()..], BEGIN).map_or(rest.len(), |at| at + BEGIN.len());
        let (block, after) = rest.split_at(next);
        let end = find(block, END).and_then(|at| {
            let dashes = at + END.len();
            find(&block[dashes..], DASHES).map(|more| dashes + more + DASHES.len())
        });
        blocks.push(Block { label: label(block), bytes: &block[..end.unwrap_or(next)] });
        rest = after;
    }
    blocks
}

/// Says that data of these blocks has no `what`.
pub(super) fn without(what: &str, blocks: &[Block<'_>]) -> String {
    match blocks {
        [] => format!("no {what}: neither PEM nor valid DER"),
        _ => {
            let labels: Vec<_> = blocks.iter().map(|block| &*block.label).collect();
            format!("no {what}: PEM of {}", labels.join(", "))
        }
    }
}

fn label(block: &[u8]) -> String {
    let text = &block[BEGIN.len()..];
    String::from_utf8_lossy(&text[..find(text, DASHES).unwrap_or(0)]).into_owned()
}

fn find(haystack: &[u8], needle: &[u8]) -> Option<usize> {
    haystack.windows(needle.len()).position(|window| window == needle)
}
