//! What a disk holds after a power cut: everything that was synced, and of the rest whatever the cut has left.

use std::{
    collections::{BTreeMap, BTreeSet},
    fs,
    path::Path,
};

/// A record of the recorder.
pub struct Record {
    operation: char,
    path: String,
    offset: u64,
    data: Vec<u8>,
    /// Bytes of the log up to the record's end.
    pub end: u64,
}

/// Reads the recorder's log.
pub fn records(log: &[u8]) -> Vec<Record> {
    let mut rest = log;
    let mut all = Vec::new();
    while let Some((record, behind)) = split(rest) {
        rest = behind;
        all.push(Record { end: (log.len() - rest.len()) as u64, ..record });
    }
    all
}

fn split(bytes: &[u8]) -> Option<(Record, &[u8])> {
    let (operation, rest) = bytes.split_first()?;
    let (length, rest) = rest.split_first_chunk::<2>()?;
    let (path, rest) = rest.split_at_checked(u16::from_le_bytes(*length).into())?;
    let (offset, rest) = rest.split_first_chunk::<8>()?;
    let (length, rest) = rest.split_first_chunk::<4>()?;
    let (data, rest) = rest.split_at_checked(u32::from_le_bytes(*length) as usize)?;
    let record = Record {
        operation: char::from(*operation),
        path: String::from_utf8_lossy(path).into_owned(),
        offset: u64::from_le_bytes(*offset),
        data: data.to_vec(),
        end: 0,
    };
    Some((record, rest))
}

/// What a cut leaves of the writes that were not synced.
#[derive(Debug, Clone, Copy)]
pub enum Left {
    Nothing,
    Everything,
    /// Some writes, whatever their order was.
    Some,
    /// Some sectors of some writes.
    Sectors,
}

impl Left {
    pub const ALL: [Self; 4] = [Self::Nothing, Self::Everything, Self::Some, Self::Sectors];
}

/// A file's bytes that are on the disk, and the numbers of the records that may be.
#[derive(Default, Clone)]
struct File {
    synced: Vec<u8>,
    pending: Vec<usize>,
}

/// Numbers without a pattern.
pub struct Chance(pub u64);

impl Chance {
    pub fn below(&mut self, below: u64) -> u64 {
        self.0 = self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (self.0 >> 33) % below
    }
}

/// The files after a cut behind record `cut`, written to `folder`.
pub fn cut(all: &[Record], cut: usize, left: Left, chance: &mut Chance, folder: &Path) {
    let mut disk = Disk { all, files: BTreeMap::new() };
    // Names are on the disk when something was synced after they were made; of the rest, a first part is.
    let last_sync = (0..cut).rev().find(|n| all[*n].operation == 'E').unwrap_or(0);
    let names = last_sync + usize::try_from(chance.below((cut - last_sync + 1) as u64)).unwrap();
    for number in 0..cut {
        disk.apply(number, number < names);
    }
    fs::create_dir_all(folder).unwrap();
    for (path, file) in disk.files.clone() {
        let mut bytes = file.synced;
        for number in file.pending {
            disk.leave(number, left, chance, &mut bytes);
        }
        fs::write(folder.join(Path::new(&path).file_name().unwrap()), bytes).unwrap();
    }
}

struct Disk<'a> {
    all: &'a [Record],
    files: BTreeMap<String, File>,
}

impl Disk<'_> {
    fn apply(&mut self, number: usize, is_named: bool) {
        let record = &self.all[number];
        let other = || String::from_utf8_lossy(&record.data).into_owned();
        match record.operation {
            'w' | 't' => {
                if let Some(file) = self.files.get_mut(&record.path) {
                    file.pending.push(number);
                }
            }
            'c' if is_named => {
                self.files.insert(record.path.clone(), File::default());
            }
            'r' if is_named => {
                if let Some(file) = self.files.remove(&record.path) {
                    self.files.insert(other(), file);
                }
            }
            'l' if is_named => {
                if let Some(file) = self.files.get(&record.path).cloned() {
                    self.files.insert(other(), file);
                }
            }
            'u' if is_named => {
                self.files.remove(&record.path);
            }
            'E' => self.sync(&record.path, usize::try_from(record.offset).unwrap()),
            _ => {}
        }
    }

    /// A sync covers what was written before it began.
    fn sync(&mut self, path: &str, begun: usize) {
        let Some(file) = self.files.get_mut(path) else { return };
        let covered: BTreeSet<usize> =
            file.pending.iter().copied().filter(|number| *number < begun).collect();
        for number in &covered {
            whole(&self.all[*number], &mut file.synced);
        }
        file.pending.retain(|number| !covered.contains(number));
    }

    /// Writes what the cut has left of an unsynced write.
    fn leave(&self, number: usize, left: Left, chance: &mut Chance, bytes: &mut Vec<u8>) {
        let record = &self.all[number];
        match left {
            Left::Nothing => {}
            Left::Everything => whole(record, bytes),
            Left::Some if chance.below(2) == 0 => whole(record, bytes),
            Left::Sectors if record.operation == 'w' => {
                for (n, sector) in record.data.chunks(512).enumerate() {
                    if chance.below(2) == 0 {
                        put(bytes, usize::try_from(record.offset).unwrap() + n * 512, sector);
                    }
                }
            }
            Left::Some | Left::Sectors => {}
        }
    }
}

fn whole(record: &Record, bytes: &mut Vec<u8>) {
    let offset = usize::try_from(record.offset).unwrap();
    match record.operation {
        't' => bytes.resize(offset, 0),
        _ => put(bytes, offset, &record.data),
    }
}

fn put(bytes: &mut Vec<u8>, offset: usize, data: &[u8]) {
    if bytes.len() < offset + data.len() {
        bytes.resize(offset + data.len(), 0);
    }
    bytes[offset..offset + data.len()].copy_from_slice(data);
}
