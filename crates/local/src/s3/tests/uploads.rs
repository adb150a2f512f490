//! Uploads in parts, through the port.

use super::*;

const PATH: &str = "/shop-files/imports/large";
const MIN: usize = 5 * 1024 * 1024;

impl World {
    async fn create(&self) -> String {
        let created = self
            .request("POST", &format!("{PATH}?uploads="))
            .send()
            .await;
        assert_eq!(created.status, 200, "{}", created.text());
        created.element("UploadId")
    }

    async fn part(&self, upload: &str, number: u32, body: &[u8]) -> Answer {
        let path = format!("{PATH}?partNumber={number}&uploadId={upload}");
        self.request("PUT", &path).body(body).send().await
    }

    fn complete(&self, upload: &str, parts: &[(u32, &str)]) -> Call<'_> {
        let part = |(number, etag): &(u32, &str)| {
            let etag = etag.replace('"', "&quot;");
            format!("<Part><PartNumber>{number}</PartNumber><ETag>{etag}</ETag></Part>")
        };
        let parts: String = parts.iter().map(part).collect();
        let body = format!("<CompleteMultipartUpload>{parts}</CompleteMultipartUpload>");
        let path = format!("{PATH}?uploadId={upload}");
        self.request("POST", &path).body(body.as_bytes())
    }
}

#[tokio::test]
async fn parts_become_one_object() {
    let world = World::new().await;
    let upload = world.create().await;
    let (one, two) = (vec![1; MIN], vec![2; 10]);
    world.part(&upload, 2, b"replaced").await;
    let second = world.part(&upload, 2, &two).await;
    let first = world.part(&upload, 1, &one).await;
    assert_eq!(world.get(PATH).await.status, 404);
    let parts = [(1, first.header("etag")), (2, second.header("etag"))];
    let completed = world.complete(&upload, &parts).send().await;
    assert_eq!(completed.status, 200, "{}", completed.text());
    let digests = [md5::compute(&one).0, md5::compute(&two).0].concat();
    let etag = format!("\"{:x}-2\"", md5::compute(digests));
    let got = world.get(PATH).await;
    assert_eq!(got.body, [one, two].concat());
    assert_eq!(got.header("etag"), etag);
    let again = world.complete(&upload, &parts).send().await;
    assert_eq!(again.refusal(), (404, "NoSuchUpload".into()));
}

#[tokio::test]
async fn an_upload_is_completed_only_as_it_was_made() {
    let world = World::new().await;
    let upload = world.create().await;
    let first = world.part(&upload, 1, b"small").await;
    let second = world.part(&upload, 2, b"last").await;
    let (first, second) = (first.header("etag"), second.header("etag"));
    for (parts, code) in [
        (&[(1, first), (2, second)][..], "EntityTooSmall"),
        (&[(2, second), (1, first)], "InvalidPartOrder"),
        (&[(1, second)], "InvalidPart"),
        (&[(3, first)], "InvalidPart"),
        (&[], "MalformedXML"),
    ] {
        let refused = world.complete(&upload, parts).send().await;
        assert_eq!(refused.refusal(), (400, code.to_owned()));
    }
    world.put(PATH, b"there").await;
    let condition = world
        .complete(&upload, &[(2, second)])
        .header("if-none-match", "*");
    assert_eq!(
        condition.send().await.refusal(),
        (412, "PreconditionFailed".into())
    );
    assert_eq!(world.get(PATH).await.body, b"there");
    let completed = world.complete(&upload, &[(2, second)]).send().await;
    assert_eq!(completed.status, 200);
    assert_eq!(world.get(PATH).await.body, b"last");
}

#[tokio::test]
async fn an_upload_that_is_aborted_is_gone() {
    let world = World::new().await;
    let upload = world.create().await;
    let part = world.part(&upload, 1, b"part").await;
    let etag = part.header("etag");
    let path = format!("{PATH}?uploadId={upload}");
    assert_eq!(world.request("DELETE", &path).send().await.status, 204);
    let gone = (404, "NoSuchUpload".to_owned());
    assert_eq!(world.part(&upload, 1, b"part").await.refusal(), gone);
    assert_eq!(
        world.complete(&upload, &[(1, etag)]).send().await.refusal(),
        gone
    );
    assert_eq!(world.request("DELETE", &path).send().await.refusal(), gone);
}

#[tokio::test]
async fn an_upload_with_checksums_needs_those_of_its_parts() {
    let world = World::new().await;
    let create = world.request("POST", &format!("{PATH}?uploads="));
    let created = create
        .header("x-amz-checksum-algorithm", "CRC32")
        .send()
        .await;
    let upload = created.element("UploadId");
    let part = world.part(&upload, 1, b"part").await;
    let etag = part.header("etag");
    let missing = world.complete(&upload, &[(1, etag)]).send().await;
    assert_eq!(missing.refusal(), (400, "InvalidRequest".into()));
    let complete = |checksum: String| {
        let body = format!(
            "<CompleteMultipartUpload><Part><ETag>{etag}</ETag><ChecksumCRC32>{checksum}</ChecksumCRC32>\
             <PartNumber>1</PartNumber></Part></CompleteMultipartUpload>"
        );
        let call = world.request("POST", &format!("{PATH}?uploadId={upload}"));
        let call = call.body(body.as_bytes());
        async move { call.send().await }
    };
    assert_eq!(
        complete(crc32(b"other")).await.refusal(),
        (400, "InvalidPart".into())
    );
    let completed = complete(crc32(b"part")).await;
    assert_eq!(completed.status, 200, "{}", completed.text());
    let whole = format!("{}-1", crc32(&crc32fast::hash(b"part").to_be_bytes()));
    assert_eq!(completed.element("ChecksumCRC32"), whole);
}
