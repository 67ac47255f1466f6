BEGIN TRANSACTION;
CREATE TABLE distro (
    id TEXT PRIMARY KEY,
    name TEXT NOT NULL,
    image TEXT REFERENCES image (digest),
    repo_digest TEXT NOT NULL,
    url TEXT NOT NULL,
    version TEXT NOT NULL,
    os_name TEXT NOT NULL,
    platform TEXT NOT NULL,
    created REAL NOT NULL,
    used REAL NOT NULL,
    warnings TEXT NOT NULL,
    upper_size INTEGER NOT NULL DEFAULT 0,
    removed INTEGER NOT NULL DEFAULT 0
) WITHOUT ROWID;
INSERT INTO "distro" VALUES('134e0af48319','dev','sha256:9e062054e6c5f0fa11a15e7b69caa87d1f310529e0e8b573d775add5e3b351af','q.io/x@sha256:9e062054e6c5f0fa11a15e7b69caa87d1f310529e0e8b573d775add5e3b351af','q.io/y:1','','','{"os":"linux","architecture":"amd64","variant":""}',1.79527351161425328257e+09,0.0,'[]',0,0);
INSERT INTO "distro" VALUES('ad9212bf3c13','host',NULL,'','host:','12','Debian GNU/Linux 12 (bookworm)','{"os":"linux","architecture":"amd64","variant":""}',1.79527351161697912218e+09,0.0,'[]',0,0);
INSERT INTO "distro" VALUES('f9d33a470f03','gone','sha256:85090b751ff30bbaaf14f03040dd5392cc353252282596ff6e05ad0203bb3e39','q.io/x@sha256:85090b751ff30bbaaf14f03040dd5392cc353252282596ff6e05ad0203bb3e39','q.io/x:1','','','{"os":"linux","architecture":"amd64","variant":""}',1.79527351161567783359e+09,0.0,'[]',0,1);
CREATE TABLE image (
    digest TEXT PRIMARY KEY,
    config_digest TEXT NOT NULL,
    platform TEXT NOT NULL,
    created REAL,
    pulled REAL NOT NULL,
    pinned INTEGER NOT NULL,
    transfer_size INTEGER NOT NULL,
    layers TEXT NOT NULL,
    history TEXT NOT NULL,
    config TEXT NOT NULL,
    warnings TEXT NOT NULL
) WITHOUT ROWID;
INSERT INTO "image" VALUES('sha256:85090b751ff30bbaaf14f03040dd5392cc353252282596ff6e05ad0203bb3e39','sha256:e5d5ce89743a10de77d056c528013dd50491dce83a84aa87440f32cdeb2368be','{"os":"linux","architecture":"amd64","variant":""}',1.0,1.7952735116107409e+09,1,12,'[{"digest":"sha256:6cd268c7243f7e6a58222d097464fada375866f66bd507e1ff729af971d13e47","diff_id":"sha256:929741719aade7ebc921caceaa77b060727744795608f1085dc6429a2893c110","size":6,"media_type":""},{"digest":"sha256:d9a3a7478c264c4036fa50a0dfb39cbfd03a51d4f1e6b509e2891871a541679b","diff_id":"sha256:59dbb3da500501c7aac954ecf91c8462b40ef12f00b96d7bce0947cac3e31512","size":6,"media_type":""}]','[{"created":null,"created_by":"add a","comment":"","layer":0},{"created":null,"created_by":"add b","comment":"","layer":1},{"created":null,"created_by":"CMD sh","comment":"","layer":null}]','{"env":[["A","1"]],"user":"","workdir":"","cmd":["sh"],"entrypoint":[]}','[]');
INSERT INTO "image" VALUES('sha256:9e062054e6c5f0fa11a15e7b69caa87d1f310529e0e8b573d775add5e3b351af','sha256:9f83d0723e5e932ad7a440c0329382ca9f4612136551a318469ed01e7f9d8b08','{"os":"linux","architecture":"amd64","variant":""}',1.0,1.79527351161296796792e+09,0,6,'[{"digest":"sha256:6cd268c7243f7e6a58222d097464fada375866f66bd507e1ff729af971d13e47","diff_id":"sha256:929741719aade7ebc921caceaa77b060727744795608f1085dc6429a2893c110","size":6,"media_type":""}]','[{"created":null,"created_by":"add a","comment":"","layer":0},{"created":null,"created_by":"CMD sh","comment":"","layer":null}]','{"env":[["A","1"]],"user":"","workdir":"","cmd":["sh"],"entrypoint":[]}','[]');
CREATE TABLE image_layer (
    image TEXT NOT NULL REFERENCES image (digest) ON DELETE CASCADE,
    position INTEGER NOT NULL,
    layer INTEGER NOT NULL REFERENCES layer (number),
    PRIMARY KEY (image, position)
) WITHOUT ROWID;
INSERT INTO "image_layer" VALUES('sha256:85090b751ff30bbaaf14f03040dd5392cc353252282596ff6e05ad0203bb3e39',1,1);
INSERT INTO "image_layer" VALUES('sha256:85090b751ff30bbaaf14f03040dd5392cc353252282596ff6e05ad0203bb3e39',0,2);
INSERT INTO "image_layer" VALUES('sha256:9e062054e6c5f0fa11a15e7b69caa87d1f310529e0e8b573d775add5e3b351af',0,2);
CREATE TABLE layer (
    number INTEGER PRIMARY KEY AUTOINCREMENT,
    key TEXT NOT NULL UNIQUE,
    diff_id TEXT NOT NULL,
    size INTEGER NOT NULL,
    entries INTEGER NOT NULL,
    tar_size INTEGER NOT NULL,
    warnings TEXT NOT NULL
);
INSERT INTO "layer" VALUES(1,'sha256:59dbb3da500501c7aac954ecf91c8462b40ef12f00b96d7bce0947cac3e31512','sha256:59dbb3da500501c7aac954ecf91c8462b40ef12f00b96d7bce0947cac3e31512',100,1,1024,'[]');
INSERT INTO "layer" VALUES(2,'sha256:929741719aade7ebc921caceaa77b060727744795608f1085dc6429a2893c110','sha256:929741719aade7ebc921caceaa77b060727744795608f1085dc6429a2893c110',100,1,1024,'[]');
CREATE TABLE meta (key TEXT PRIMARY KEY, value TEXT NOT NULL) WITHOUT ROWID;
INSERT INTO "meta" VALUES('idmap','root');
INSERT INTO "meta" VALUES('session','2');
CREATE TABLE reference (
    name TEXT PRIMARY KEY,
    image TEXT NOT NULL REFERENCES image (digest) ON DELETE CASCADE
) WITHOUT ROWID;
INSERT INTO "reference" VALUES('q.io/x:1','sha256:85090b751ff30bbaaf14f03040dd5392cc353252282596ff6e05ad0203bb3e39');
INSERT INTO "reference" VALUES('q.io/y:1','sha256:9e062054e6c5f0fa11a15e7b69caa87d1f310529e0e8b573d775add5e3b351af');
CREATE TABLE repo_digest (
    image TEXT NOT NULL REFERENCES image (digest) ON DELETE CASCADE,
    name TEXT NOT NULL,
    PRIMARY KEY (image, name)
) WITHOUT ROWID;
INSERT INTO "repo_digest" VALUES('sha256:85090b751ff30bbaaf14f03040dd5392cc353252282596ff6e05ad0203bb3e39','q.io/x@sha256:85090b751ff30bbaaf14f03040dd5392cc353252282596ff6e05ad0203bb3e39');
INSERT INTO "repo_digest" VALUES('sha256:9e062054e6c5f0fa11a15e7b69caa87d1f310529e0e8b573d775add5e3b351af','q.io/x@sha256:9e062054e6c5f0fa11a15e7b69caa87d1f310529e0e8b573d775add5e3b351af');
CREATE INDEX image_layer_layer ON image_layer (layer);
CREATE UNIQUE INDEX distro_name ON distro (name) WHERE NOT removed;
DELETE FROM "sqlite_sequence";
INSERT INTO "sqlite_sequence" VALUES('layer',2);
COMMIT;
PRAGMA user_version = 1;
