use super::kept::{ENTRIES_MAX, MEMORY_MAX, NAMES_MAX};
use super::*;

fn cache(body: BodyMode, files: usize) -> (tempfile::TempDir, Cache) {
    let root = tempfile::tempdir().unwrap();
    for index in 0..files {
        std::fs::write(root.path().join(index.to_string()), "x").unwrap();
    }
    let cache = Cache::new(Root::open(root.path()).unwrap(), body);
    (root, cache)
}

#[test]
fn query_is_no_part_of_the_name() {
    assert_eq!(without_query(b"/a?b?c"), b"/a");
    assert_eq!(without_query(b"/a%3Fb"), b"/a%3Fb");
    assert_eq!(without_query(b"?"), b"");
}

#[test]
fn descriptors_stay_below_their_limit_and_the_oldest_goes() {
    let (_root, cache) = cache(BodyMode::Sendfile, 5);
    cache.kept().files_max = 3;
    for index in 0..5 {
        cache
            .document(format!("/{index}").as_bytes(), index)
            .unwrap();
    }
    let kept = cache.kept();
    assert_eq!((kept.files, kept.counts()), (3, (3, 3)));
    assert!(kept.find(b"/1").is_none());
    assert!(kept.find(b"/4").is_some());
}

#[test]
fn documents_do_not_outgrow_the_cache() {
    let (_root, cache) = cache(BodyMode::Memory, ENTRIES_MAX + 2);
    for index in 0..ENTRIES_MAX + 2 {
        cache.document(format!("/{index}").as_bytes(), 0).unwrap();
    }
    let kept = cache.kept();
    assert_eq!(kept.counts(), (ENTRIES_MAX, ENTRIES_MAX));
    assert_eq!(kept.memory, ENTRIES_MAX);
}

#[test]
fn spellings_of_one_name_share_a_document_and_push_nothing_out() {
    let (root, cache) = cache(BodyMode::Memory, 2);
    std::os::unix::fs::symlink("0", root.path().join("0.html")).unwrap();
    let other = cache.document(b"/1", 0).unwrap();
    let first = cache.document(b"/0", 0).unwrap();
    for count in 1..900 {
        let target = [&b"/".repeat(count)[..], b"0"].concat();
        assert!(Arc::ptr_eq(&first, &cache.document(&target, 0).unwrap()));
    }
    assert_eq!(cache.kept().counts(), (2, 1 + NAMES_MAX));
    assert_eq!(cache.kept().memory, 2);
    assert!(Arc::ptr_eq(&other, &cache.document(b"/1", 0).unwrap()));
    // The media type comes from the name, so that this one is another document.
    let linked = cache.document(b"/0.html", 0).unwrap();
    assert_ne!(linked.media_type, first.media_type);
    // A file that changed leaves no name behind that still says the old one.
    std::fs::write(root.path().join("0"), "changed").unwrap();
    for target in [&b"/0"[..], b"//0"] {
        assert_eq!(cache.document(target, 2000).unwrap().length, 7);
    }
}

#[test]
fn contents_stay_below_their_limit() {
    let (root, cache) = cache(BodyMode::Memory, 1);
    cache.document(b"/0", 0).unwrap();
    let mebibyte = std::fs::File::create(root.path().join("a")).unwrap();
    mebibyte.set_len(CONTENT_MAX).unwrap();
    cache.kept().memory += MEMORY_MAX - 1;
    cache.document(b"/a", 5000).unwrap();
    assert_eq!(cache.kept().counts(), (1, 1));
    assert!(cache.kept().find(b"/a").is_some());
}

#[test]
fn only_descriptors_that_nobody_uses_are_given_up() {
    let (_root, cache) = cache(BodyMode::Sendfile, 2);
    let used = cache.document(b"/0", 0).unwrap();
    cache.document(b"/1", 0).unwrap();
    cache.kept().drop_unused_files();
    assert_eq!(cache.kept().files, 1);
    assert!(Arc::ptr_eq(&used, &cache.document(b"/0", 0).unwrap()));
}

#[test]
fn a_file_rewritten_with_its_old_time_and_length_is_another() {
    let (root, cache) = cache(BodyMode::Memory, 1);
    let path = root.path().join("0");
    let before = cache.document(b"/0", 0).unwrap();
    let times = std::fs::metadata(&path).unwrap().modified().unwrap();
    // The clock of files moves a few hundred times a second: written until it did.
    let mut after = Arc::clone(&before);
    for look in 1..10_000 {
        std::fs::write(&path, "y").unwrap();
        let file = std::fs::File::options().write(true).open(&path).unwrap();
        file.set_modified(times).unwrap();
        after = cache.document(b"/0", look * 2000).unwrap();
        if after.etag != before.etag {
            break;
        }
    }
    assert_ne!(after.etag, before.etag);
    assert_eq!(after.last_modified, before.last_modified);
    assert!(matches!(&after.content, Content::Memory(bytes) if **bytes == *b"y"));
}

#[test]
fn descriptors_that_workers_hold_are_counted_until_they_let_go() {
    let (_root, cache) = cache(BodyMode::Sendfile, 3);
    cache.kept().files_max = 1;
    let mut held: Vec<_> = [&b"/0"[..], b"/1", b"/2"]
        .map(|target| cache.document(target, 0).unwrap())
        .into();
    assert!(cache.is_exceeded());
    held.clear();
    assert!(!cache.is_exceeded());
}
